"""Notebooks handed in where a module was asked for: the functions in them are graded, and nothing
of them is run.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from pytest_mpgrade import steps, tasks
from pytest_mpgrade.course import assignment
from pytest_mpgrade.errors import UngradableError
from pytest_mpgrade.records import Assignment, Ending, Scenario
from pytest_mpgrade.run.client import module_run
from pytest_mpgrade.submission import notebooks
from pytest_mpgrade.submission.discover import discover
from pytest_mpgrade.submission.staging import importable, stage
from support.running import setting

IMPORTS = """%matplotlib inline
import multiprocessing as mp
from time import sleep
try:
    import seaborn
except ImportError:
    seaborn = None
N_WORKERS, NAMES = 2, {"a": [1, -2]}
!pip install something
figure = draw_something(N_WORKERS)
print("side effect", figure)"""
WORKER = """def calculate(func, args):
    return func(*args)


def worker(input, output):
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))"""
APPLY = """@staticmethod
def not_ours():
    pass

def mp_apply(tasks, n_processes=N_WORKERS):
    tasks = list(tasks)
    task_queue, done_queue = mp.Queue(), mp.Queue()
    queues = (task_queue, done_queue)
    processes = [mp.Process(target=worker, args=queues) for _ in range(n_processes)]
    for p in processes:
        p.start()
    for item in [*tasks, *["STOP"] * n_processes]:
        task_queue.put(item)
    results = [done_queue.get() for _ in tasks]
    for p in processes:
        p.join()
    return results
results = mp_apply([(pow, (2, 3))])"""
CELLS = [
    IMPORTS,
    "# Text",
    WORKER,
    "%%time\nresults = mp_apply([])",
    APPLY,
    "assert False",
    "%%bash\nexit 1",
]


@pytest.fixture
def asked() -> Assignment:
    """Return the assignment."""
    return assignment.find_assignment("mp_apply")


@pytest.fixture
def ada(tmp_path: Path) -> Path:
    """Return an empty folder of a student's."""
    (tmp_path / "ada").mkdir()
    return tmp_path / "ada"


def write(path: Path, *cells: str) -> Path:
    """Write a notebook."""
    library: Any = nbformat  # without types
    book = library.v4.new_notebook(cells=[library.v4.new_code_cell(text) for text in cells])
    book.cells.insert(1, library.v4.new_markdown_cell("# A title\nThat is no code: def mp_apply("))
    library.write(book, path)
    return path


def staged(path: Path, asked: Assignment, into: Path) -> Path:
    """Return the module that is graded for a submission."""
    found = discover(path, asked)
    assert not importable(found)
    into.mkdir(exist_ok=True)
    graded = stage(found, into, asked.module)
    assert importable(graded)
    return into / graded.module


@pytest.mark.parametrize("as_file", [False, True], ids=["folder", "file"])
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_functions_of_a_notebook_are_graded(
    ada: Path, asked: Assignment, tmp_path: Path, method: str, as_file: bool
) -> None:
    """Functions over several cells become a module that child processes can import; what cells
    compute is left out.
    """
    book = write(ada / "Homework 3.ipynb", *CELLS)
    path = book if as_file else ada
    note = discover(path, asked).note
    assert note.startswith(
        "The functions were taken from the notebook Homework 3.ipynb (code cells 1, 3, 5): "
    )
    module = staged(path, asked, tmp_path / "staged")
    scenario = Scenario(
        steps=(steps.call("mp_apply", tasks.square([3, 1]), n_processes=2),), start_method=method
    )
    imported, run = module_run.run_module(scenario, setting(module.parent))
    assert imported.ending is Ending.RETURNED, imported.error
    assert (run.ending, run.error) == (Ending.RETURNED, None)
    assert sorted(run.encoded[1]) == [["int", "1"], ["int", "9"]]
    assert run.printed == ""
    assert list(ada.iterdir()) == [book]


def test_what_is_kept(ada: Path) -> None:
    """Imports, functions as they are written, and constants; with the number of the cell above
    them.
    """
    made = notebooks.extract(write(ada / "hw.ipynb", *CELLS), "hw.ipynb")
    assert (
        "# hw.ipynb, code cell 3\ndef calculate(func, args):\n    return func(*args)\ndef worker("
        in made.source
    )
    assert "NAMES = (2, {'a': [1, -2]})" in made.source.replace(
        "(N_WORKERS, NAMES)", "N_WORKERS, NAMES"
    )
    assert "except ImportError:\n    seaborn = None" in made.source
    assert "@staticmethod\ndef not_ours():" in made.source
    for gone in (
        "matplotlib",
        "figure",
        "side effect",
        "results = mp_apply",
        "assert False",
        "pip install",
    ):
        assert gone not in made.source


def test_text_notebook(ada: Path, asked: Assignment, tmp_path: Path) -> None:
    """The same for a notebook in Markdown, as jupytext writes it."""
    head = "---\njupytext:\n  formats: ipynb,md\nkernelspec:\n  name: python3\n---\n\n# A title\n\n"
    (ada / "hw.md").write_text(
        head + "".join(f"```python\n{cell}\n```\n\nSome text.\n\n" for cell in CELLS[:6])
    )
    module = staged(ada, asked, tmp_path / "staged")
    assert "def mp_apply(tasks" in module.read_text()


def test_module_written_by_a_cell(ada: Path, asked: Assignment, tmp_path: Path) -> None:
    """What a cell writes to a Python file with %%writefile is the module that was meant."""
    write(
        ada / "hw.ipynb",
        f"%%writefile cv_funcs.py\nimport multiprocessing as mp\nN_WORKERS = 2\n{WORKER}\n{APPLY}",
    )
    assert "def mp_apply(tasks" in staged(ada, asked, tmp_path / "staged").read_text()


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ((WORKER, "def mp_apply(:\n    pass"), "found: hw.ipynb, code cell 2, line 1: SyntaxError"),
        ((WORKER,), "hw.ipynb (a notebook, lacks mp_apply)"),
    ],
)
def test_notebook_that_cannot_be_graded(
    ada: Path, asked: Assignment, cells: tuple[str, ...], words: str
) -> None:
    """A cell that is no Python is named with its line; functions that are not there are named
    too.
    """
    write(ada / "hw.ipynb", *cells)
    with pytest.raises(UngradableError) as caught:
        discover(ada, asked)
    assert "a notebook was handed in where the module cv_funcs.py is asked for" in str(caught.value)
    assert words in str(caught.value)


def test_two_notebooks(ada: Path, asked: Assignment) -> None:
    """Of two notebooks with all functions neither is guessed."""
    for name in ("a.ipynb", "b.ipynb"):
        write(ada / name, *CELLS)
    with pytest.raises(UngradableError, match=r"several files define .*: a\.ipynb, b\.ipynb"):
        discover(ada, asked)


def test_a_module_goes_before_a_notebook(ada: Path, asked: Assignment) -> None:
    """Where the asked module is there, notebooks beside it are not looked into."""
    write(ada / "hw.ipynb", *CELLS)
    (ada / "cv_funcs.py").write_text("def mp_apply(tasks, n_processes=2): pass\n")
    found = discover(ada, asked)
    assert (found.module, found.note) == ("cv_funcs.py", "")


def test_without_the_extra(ada: Path, asked: Assignment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where jupytext is not installed, the reason says what to install."""
    write(ada / "hw.ipynb", *CELLS)
    monkeypatch.setitem(sys.modules, "jupytext", None)
    with pytest.raises(
        UngradableError, match=r"pip install 'pytest-mpgrade\[notebook\]' \(jupytext is missing\)"
    ):
        discover(ada, asked)


# --- notebooks that are executed


@pytest.fixture
def whole() -> Assignment:
    """Return an assignment whose module is a notebook."""
    return assignment.find_assignment("notebook")


SMALL = (
    "# ---\n# jupyter:\n#   jupytext:\n#     text_representation:\n#       format_name: percent\n#"
    " ---\n# %%\nx = 1\n"
)
MARKDOWN = (
    "---\njupyter:\n  jupytext:\n    text_representation:\n      extension:"
    " .md\n---\n\n```python\nx = 1\n```\n"
)


@pytest.mark.parametrize(
    ("files", "chosen", "note"),
    [
        ({"multiprocess.ipynb": ""}, "multiprocess.ipynb", ""),
        (
            {"multiprocess.ipynb": "", "other.ipynb": "", "multiprocess.md": MARKDOWN},
            "multiprocess.ipynb",
            "",
        ),
        (
            {"multiprocess.md": MARKDOWN},
            "multiprocess.md",
            "multiprocess.md was executed as multiprocess.ipynb.",
        ),
        (
            {"multiprocess.py": "x = 1\n"},
            "multiprocess.py",
            "multiprocess.py was executed as multiprocess.ipynb.",
        ),
        (
            {"hw.py": SMALL, "cv_funcs.py": "y = 2\n"},
            "hw.py",
            "hw.py was executed as multiprocess.ipynb.",
        ),
        (
            {"Ada Lovelace.ipynb": ""},
            "Ada Lovelace.ipynb",
            "Ada Lovelace.ipynb was executed as multiprocess.ipynb.",
        ),
        (
            {".ipynb_checkpoints/multiprocess.ipynb": "", "a.ipynb": ""},
            "a.ipynb",
            "a.ipynb was executed as",
        ),
    ],
)
def test_notebook_is_found(
    tmp_path: Path, whole: Assignment, files: dict[str, str], chosen: str, note: str
) -> None:
    """The notebook with the asked name in any of its formats is executed, else the only one."""
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text or nbformat.writes(nbformat.v4.new_notebook()))
    found = discover(tmp_path, whole)
    assert found.module == chosen
    assert found.note.startswith(note)
    assert bool(found.note) is bool(note)


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({}, "there is no multiprocess.ipynb, nor another notebook; the submission is empty"),
        ({"a.py": "x = 1\n"}, "nor another notebook; found: a.py"),
        ({"a.ipynb": "{}", "b.ipynb": "{}"}, "and several notebooks: a.ipynb, b.ipynb"),
        ({"multiprocess.ipynb": "{"}, "multiprocess.ipynb cannot be read as a notebook"),
        ({"multiprocess.ipynb": "[]"}, "multiprocess.ipynb cannot be read as a notebook"),
        ({"multiprocess.ipynb": ""}, "multiprocess.ipynb cannot be read as a notebook"),
    ],
)
def test_no_notebook_to_execute(
    tmp_path: Path, whole: Assignment, files: dict[str, str], why: str
) -> None:
    """None, several, or a broken one: one line says so."""
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(UngradableError, match=re.escape(why)) as caught:
        discover(tmp_path, whole)
    assert "\n" not in str(caught.value)


def test_notebook_by_itself_brings_its_modules(tmp_path: Path, whole: Assignment) -> None:
    """A notebook that is named as a file comes with the modules beside it that it imports, and with
    nothing else.
    """
    cells = [nbformat.v4.new_code_cell("import numpy, cv_funcs as cvf")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "multiprocess.ipynb")
    for name in ("cv_funcs.py", "somebody_elses.py"):
        (tmp_path / name).write_text("x = 1\n")
    staged = stage(
        discover(tmp_path / "multiprocess.ipynb", whole), tmp_path / "staged", whole.module
    )
    assert sorted(path.name for path in Path(staged.folder).iterdir()) == [
        "cv_funcs.py",
        "multiprocess.ipynb",
    ]


READ_AT_ONCE = """
import sys, threading
from pathlib import Path
from pytest_mpgrade.submission import notebooks
sys.setswitchinterval(1e-6)
barrier = threading.Barrier(6)
def read(path):
    barrier.wait()
    notebooks.notebook_imports(notebooks.document(path, path.name))
threads = [threading.Thread(target=read, args=(Path(sys.argv[1]),)) for _ in range(barrier.parties)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


def test_read_by_threads_at_once() -> None:
    """Whoever grades several notebooks at a time does not find IPython half imported."""
    starter = next(Path(assignment.find_assignment("notebook").folder).glob("starter/*.ipynb"))
    for _ in range(5):
        command = [sys.executable, "-c", READ_AT_ONCE, str(starter)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
