# Two commands do everything on a fresh machine with Python 3.10 or newer: `make demo` and `make test`.
# Each sets up a virtual environment in .venv by itself.

PYTHON ?= python3
BIN := .venv/bin
JOBS ?= 3

# Where it is set, each process of the tests would compile what it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test check docs example-class picture lint-project reduced reduced-packages verify verify-timed layers hostile fuzz benchmarks schemas changelog dist clean
.DEFAULT_GOAL := demo

.venv/ready: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "pytest-mpgrade needs Python 3.10 or newer")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'  # knows --group
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group dev -e '.[all,cluster,mutate]'
	$(BIN)/python -m compileall -q pytest_mpgrade  # children of a grading read its modules and write no bytecode
	touch $@

# The longest comes first and ends last; the others are graded beside it.
DEMO := mp_apply process_basics vectorize pool

demo: .venv/ready  ## grade made-up submissions to four assignments: a table for each, and rubrics of the last
	rm -rf results/demo && mkdir -p results/demo/class/mp_apply
	cp -R examples/course/class/. results/demo/class
	cp -R examples/class/ben examples/class/finn results/demo/class/mp_apply
	@begun=$$(date +%s); $(MAKE) --no-print-directory -j 2 --output-sync=target $(DEMO:%=demo-%) && \
	echo "graded in $$(($$(date +%s) - begun)) s; why points were lost: $(BIN)/mpgrade show results/demo/mp_apply --student ben"

demo-%:
	@printf '\n%s\n' $*
	@$(BIN)/mpgrade batch results/demo/class/$* --assignment $* --out results/demo/$* --no-require-isolation \
		$(if $(filter mp_apply,$*),--rubric) || test $$? -eq 3

test: .venv/ready check  ## all tests; most of them wait most of the time
	$(BIN)/python -m compileall -q pytest_mpgrade  # what has changed since
	$(BIN)/python -m pytest -n 6

check: .venv/ready  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check pytest_mpgrade tests assignments/*/test_*.py benchmarks
	$(BIN)/mypy

lint-project: .venv/ready  ## what surrounds the code: pyproject.toml, workflows, wheel, changelog
	$(BIN)/validate-pyproject pyproject.toml
	$(BIN)/repo-review .
	$(BIN)/zizmor --offline --quiet .github
	$(BIN)/towncrier build --draft --version 0 >/dev/null
	rm -rf build/wheel && $(BIN)/python -m hatchling build -t wheel -d build/wheel
	$(BIN)/check-wheel-contents build/wheel/*.whl

# Tests that every Python has to pass, and assignments that are graded with it.
REDUCED := tests/course/test_assignment.py tests/course/test_newer_pythons.py tests/judge/test_checks.py \
	tests/report/test_result_json.py tests/submission/test_notebooks.py tests/batch/test_layouts.py \
	tests/system/test_syscalls.py tests/run/test_gate_socket.py tests/run/test_quiescence.py tests/run/test_gate_scripts.py
GRADED := mp_apply bg_task pool notebook
# lowest-direct: the oldest packages that pyproject.toml allows.
PACKAGES ?= highest
PLACE ?= build/reduced-$(notdir $(PYTHON))-$(PACKAGES)

reduced: reduced-packages  ## the reduced set of tests, with another PYTHON and the PACKAGES that it has: make reduced PYTHON=python3.13
	$(PLACE)/bin/python -m pytest -q -n 3 -p no:cacheprovider $(REDUCED)
	printf '%s\n' $(GRADED) | xargs -P 2 -I NAME sh -c '$(PLACE)/bin/mpgrade grade reference/NAME --assignment NAME \
		--out $(PLACE)/out-NAME >$(PLACE)/NAME.txt 2>&1 && tail -8 $(PLACE)/NAME.txt || { cat $(PLACE)/NAME.txt; exit 1; }'

reduced-packages: $(PLACE)/ready

$(PLACE)/ready: pyproject.toml
	rm -rf $(PLACE) && $(PYTHON) -m venv $(PLACE)
	$(PLACE)/bin/pip install --quiet --disable-pip-version-check uv
	VIRTUAL_ENV=$(abspath $(PLACE)) $(PLACE)/bin/uv pip install --quiet --resolution $(PACKAGES) \
		--group reduced -e '.[xdist,notebook,gradescope]'
	touch $@

# Written for people: proselint reads it for cliches, redundancy and the like. Its taste in quotation marks is not ours.
PROSE := README.md CONTRIBUTING.md RELEASING.md SECURITY.md docs/*.md docs/explanation docs/how-to docs/reference \
	docs/tutorials assignments/*/README.md examples/course

docs: .venv/ready  ## the site, in docs/_build/html; a warning is an error
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	$(BIN)/codespell
	$(BIN)/proselint check --config docs/proselint.json $(PROSE)
	@echo "docs/_build/html/index.html"

example-class: .venv/ready  ## grade the class whose report is part of the site
	rm -rf results/example-class
	$(BIN)/mpgrade batch examples/class --assignment mp_apply --out results/example-class || test $$? -eq 3
	for name in $$(ls examples/class); do \
		mkdir -p docs/example-class/$$name && cp results/example-class/$$name/result.json docs/example-class/$$name; \
	done
	cp results/example-class/mapping.csv docs/example-class

picture: .venv/ready  ## grade a solution that hangs, and draw it for README and site
	$(BIN)/python docs/_ext/draw_hang.py docs/images/hang.svg

# Right solutions of other designs than the reference; empty: the reference only.
RIGHT ?= tests/designs
# The assignments that are verified besides mp_apply.
ASSIGNMENTS ?= bg_task process_basics pipes_queues pool async_task parallel_rng cross_validation vectorize io_concurrency builtin_parallelism notebook
# Timings take long: they are made with those that say something about them.
TIMED ?= reference naps_between_tasks polls_busily pickles_context process_per_task serial

FUZZ ?= 1000

verify: verify-mp_apply verify-timed $(ASSIGNMENTS:%=verify-%)  ## grade references and wrong solutions: are the verdicts those that are known?

verify-timed: .venv/ready
	$(BIN)/mpgrade verify mp_apply -j $(JOBS) --only $(TIMED)

verify-%: .venv/ready
	$(BIN)/mpgrade verify $* -j $(JOBS) $(UNTIMED) $(VERIFY) $(if $(RIGHT),--right $(RIGHT)/$*)

verify-mp_apply: UNTIMED := --untimed

# The layers of isolation that this machine has; `mpgrade doctor` names them.
LAYERS ?= uid bwrap landlock none

layers: .venv/ready  ## grade each reference in every layer of isolation, and by plain pytest as students do
	set -e; for name in mp_apply $(ASSIGNMENTS); do \
		for layer in $(LAYERS); do \
			$(BIN)/mpgrade verify $$name --only reference --untimed --isolation $$layer; \
		done; \
		folder=$$(mktemp -d); cp -r assignments/$$name/starter/. reference/$$name/. $$folder; \
		(cd $$folder && $(CURDIR)/$(BIN)/python -m pytest -q -p no:cacheprovider); rm -r $$folder; \
	done

hostile: .venv/ready  ## grade the hostile submissions in every layer of isolation that this machine has
	PYTHONPATH=tests $(BIN)/python -m hostile $(HOSTILE)

fuzz: .venv/ready  ## give parsers what nobody would write, for about a minute; FUZZ=20000 for a quarter of an hour
	MPGRADE_FUZZ_EXAMPLES=$(FUZZ) $(BIN)/python -m pytest -q -n 2 tests/batch/test_parsers.py tests/run/test_gate_protocol.py

benchmarks: .venv/ready
	$(BIN)/python benchmarks/import_time.py
	$(BIN)/python benchmarks/grading_time.py
	$(BIN)/python benchmarks/isolation_cost.py
	$(BIN)/python benchmarks/notebook_cost.py
	$(BIN)/python benchmarks/batch_throughput.py
	$(BIN)/python benchmarks/batch_kills.py
	$(BIN)/python benchmarks/report_pages.py
	$(BIN)/python benchmarks/soak.py

schemas: .venv/ready  ## write the JSON Schemas that are published
	for kind in assignment result; do $(BIN)/mpgrade schema $$kind > docs/schemas/$$kind.json; done

changelog: .venv/ready  ## what CHANGELOG.md will say of the next release
	$(BIN)/towncrier build --draft --version "$$($(BIN)/hatchling version)"

dist: .venv/ready  ## both distributions, looked into
	rm -rf dist && $(BIN)/python -m build
	$(BIN)/check-wheel-contents dist/*.whl

clean:
	rm -rf .venv results dist build docs/_build .mypy_cache .ruff_cache .pytest_cache
