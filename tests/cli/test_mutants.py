"""Mutants: small changes of a right solution, made by syntax, and which of them the grader sees."""

from __future__ import annotations

import ast
import difflib
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from pytest_mpgrade.cli.mutants import MUTATORS, mutants_of
from pytest_mpgrade.cli.mutants.source import MutableSource
from support.known_verdicts import course
from support.running import ROOT

__all__ = ["course"]

MODULES = sorted(
    path
    for folder in ("reference", "tests/designs")
    for path in (ROOT / folder).glob("*/*.py")
    if path.name != "percent.py"
)
SOME_MODULES = [
    path for place, path in enumerate(MODULES) if "reference" in path.parts or place % 4 == 0
]
"""The references and some designs: to make all mutants of all of them takes a minute."""


def changes(text: str, mutator: str) -> list[tuple[str, list[str], list[str]]]:
    """Return for each change of a mutator its name, the lines that it takes and those it gives."""
    text = textwrap.dedent(text)
    (made,) = [each for each in MUTATORS if each.__name__ == mutator]
    found = []
    for mutation in made(MutableSource(text)):
        lines = list(difflib.ndiff(text.splitlines(), mutation.text.splitlines()))
        taken, given = (
            [line[2:].strip() for line in lines if line[0] == sign] for sign in ("-", "+")
        )
        found.append((mutation.name, taken, given))
    return found


@pytest.mark.parametrize(
    ("mutator", "text", "name", "taken", "given"),
    [
        pytest.param(
            "without_calls",
            "def f(p):\n    p.start()\n    return p.pid\n",
            "f: without p.start()",
            ["p.start()"],
            ["pass"],
            id="a call that starts",
        ),
        pytest.param(
            "without_calls",
            "def f(ps):\n    [p.join() for p in ps]\n",
            "f: without [p.join() for p in ps]",
            ["[p.join() for p in ps]"],
            ["pass"],
            id="calls in a comprehension",
        ),
        pytest.param(
            "without_calls",
            "def end(p):\n    return p.join()\n\ndef f(p):\n    end(p)\n",
            "f: without end(p)",
            ["end(p)"],
            ["pass"],
            id="a call of a function of the module",
        ),
        pytest.param(
            "without_calls",
            'class W:\n    def stop(self):\n        self.q.put("STOP")\n',
            'W.stop: without self.q.put("STOP")',
            ['self.q.put("STOP")'],
            ["pass"],
            id="a sentinel, in a method",
        ),
        pytest.param(
            "joined_too_early",
            "def f(p, q):\n    x = q.get()\n    q.put(0)\n    p.join()\n    return x\n",
            "f: p.join() before x = q.get()",
            ["p.join()"],
            ["p.join()"],
            id="a join before the get",
        ),
        pytest.param(
            "one_process",
            "def f(n_processes=2):\n    return [P() for _ in range(n_processes)]\n",
            "f: 1 for n_processes in range(n_processes)",
            ["return [P() for _ in range(n_processes)]"],
            ["return [P() for _ in range(1)]"],
            id="one process",
        ),
        pytest.param(
            "without_arguments",
            "def f(g, xs, chunksize=None):\n    return pool.map(g, xs, chunksize)\n",
            "f: pool.map(g, xs, chunksize) without chunksize",
            ["return pool.map(g, xs, chunksize)"],
            ["return pool.map(g, xs)"],
            id="an argument by position",
        ),
        pytest.param(
            "without_arguments",
            "def f(x, n_jobs=None):\n    return Forest(n_jobs=n_jobs, depth=3).fit(x)\n",
            "f: Forest(n_jobs=n_jobs, depth=3) without n_jobs",
            ["return Forest(n_jobs=n_jobs, depth=3).fit(x)"],
            ["return Forest(depth=3).fit(x)"],
            id="an argument by name",
        ),
        pytest.param(
            "without_arguments",
            "def f(x, seed):\n    return default_rng(seed)\n",
            "f: default_rng(seed) without seed",
            ["return default_rng(seed)"],
            ["return default_rng()"],
            id="a seed",
        ),
        pytest.param(
            "put_twice",
            "def f(q):\n    q.put(1)  # once\n",
            "f: q.put(1) twice",
            ["q.put(1)  # once"],
            ["q.put(1); q.put(1)  # once"],
            id="a result twice",
        ),
        pytest.param(
            "without_locks",
            "def f(lock):\n    with lock:\n        work()\n",
            "f: without the lock lock",
            ["with lock:"],
            ["if True:"],
            id="a lock",
        ),
        pytest.param(
            "without_locks",
            "async def f(semaphore):\n    async with semaphore:\n        await work()\n",
            "f: without the lock semaphore",
            ["async with semaphore:"],
            ["if True:"],
            id="a semaphore of asyncio",
        ),
        pytest.param(
            "widened_handlers",
            "def f(q):\n    try:\n        g()\n    except (OSError, EOFError) as e:\n        h()\n",
            "f: except Exception for except (OSError, EOFError)",
            ["except (OSError, EOFError) as e:"],
            ["except Exception as e:"],
            id="an except that catches more",
        ),
        pytest.param(
            "hidden_exceptions",
            "def f(q):\n    try:\n        g()\n    except ValueError:\n        raise\n",
            "f: except ValueError: pass",
            ["raise"],
            ["pass"],
            id="an exception that is hidden",
        ),
        pytest.param(
            "without_await",
            "async def f(x):\n    return await g(x)\n",
            "f: g(x) without await",
            ["return await g(x)"],
            ["return g(x)"],
            id="an await",
        ),
    ],
)
def test_each_mutator_changes_what_it_says(
    mutator: str, text: str, name: str, taken: list[str], given: list[str]
) -> None:
    """A mutator makes one change, names it by its function and code, and leaves all else."""
    assert changes(text, mutator) == [(name, taken, given)]


@pytest.mark.parametrize(
    ("mutator", "text"),
    [
        ("without_calls", "p.start()\n"),
        ("without_calls", "def f(p):\n    return p.join()\n"),
        ("without_calls", "def f(x):\n    x.sort()\n"),
        ("joined_too_early", "def f(p, q):\n    p.join()\n    return q.get()\n"),
        ("one_process", "def f(n):\n    return range(n)\n"),
        ("without_arguments", "def f(x, n):\n    return g(x, n)\n"),
        ("without_arguments", "def f(x, n=2):\n    return g(n, x)\n"),
        ("without_locks", "def f(path):\n    with open(path) as file:\n        file.read()\n"),
        (
            "widened_handlers",
            "def f():\n    try:\n        g()\n    except Exception:\n        h()\n",
        ),
        (
            "hidden_exceptions",
            "def f():\n    try:\n        g()\n    except OSError:\n        h()\n",
        ),
    ],
)
def test_mutators_leave_other_code_alone(mutator: str, text: str) -> None:
    """What is outside of functions, or is no place for an idea, is not changed."""
    assert changes(text, mutator) == []


@pytest.mark.parametrize(
    "path", SOME_MODULES, ids=[path.relative_to(ROOT).as_posix() for path in SOME_MODULES]
)
def test_mutants_are_valid_and_different(path: Path) -> None:
    """Every mutant is valid Python, differs from its solution and from all others, and has a name
    of its own.
    """
    text = path.read_text("utf-8-sig")
    mutants = mutants_of(text)
    assert mutants
    trees = [ast.dump(ast.parse(each.text)) for each in mutants]
    assert len({ast.dump(ast.parse(text)), *trees}) == len(mutants) + 1
    assert len({each.name for each in mutants}) == len(mutants)


def test_every_mutator_finds_its_place_in_some_solution() -> None:
    """No mutator is without a place in the solutions that are shipped, or else it is named here."""
    idle = {
        made.__name__
        for made in MUTATORS
        if not any(
            True for path in MODULES for _ in made(MutableSource(path.read_text("utf-8-sig")))
        )
    }
    assert idle <= {"without_await"}


# --- mpgrade verify --mutate

JOINS = """
import multiprocessing as mp


def double(x, out):
    out.put(2 * x)


def twice(x):
    out = mp.SimpleQueue()
    p = mp.Process(target=double, args=(x, out))
    p.start()
    value = out.get()
    p.join()
    return value
"""
SURVIVOR = "twice: without p.join()"


def mutate(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Verify by mutants as a user does."""
    command = [sys.executable, "-m", "pytest_mpgrade", "verify", str(folder), "--mutate", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


@pytest.fixture
def joining(course: Path) -> Path:
    """Return an assignment whose reference joins its child, which no question asks for."""
    (course / "reference" / "twice.py").write_text(JOINS)
    return course


def test_survivors_are_shown_with_what_was_changed(joining: Path) -> None:
    """A mutant that loses no point is a survivor, with its diff, and the exit code is 1; one that
    loses points says which concerns failed.
    """
    done = mutate(joining, "--only", SURVIVOR, "start")
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"survives: {SURVIVOR}" in done.stdout
    assert "    -    p.join()\n    +    pass\n" in done.stdout
    assert "twice: without p.start() (" in done.stdout
    assert "loses" in done.stdout
    assert "2 mutants of the reference; lose points: 1, explained: 0, survive: 1" in done.stdout


def test_explained_survivors_count_as_explained(joining: Path) -> None:
    """A survivor that equivalent.toml explains is none, and an explanation of no mutant is told."""
    file = joining / "wrong" / "equivalent.toml"
    file.write_text(f'[mutants]\n"{SURVIVOR}" = "nobody asks for it"\n')
    done = mutate(joining, "--only", SURVIVOR)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 mutant of the reference; lose points: 0, explained: 1, survive: 0" in done.stdout
    file.write_text('[mutants]\n"twice: without p.jon()" = "nobody asks for it"\n')
    done = mutate(joining, "--only", SURVIVOR)
    assert done.returncode == 1
    assert "equivalent.toml explains what is no mutant: twice: without p.jon()" in done.stdout


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[mutant]\n", "equivalent.toml:1: mutant: is not known; did you mean 'mutants'?"),
        ("[mutants]\na = 3\n", "equivalent.toml:2: mutants.a: must be text that says why"),
        ("mutants = 3\n", "equivalent.toml:1: mutants: must be a table"),
    ],
)
def test_mistakes_in_explanations(joining: Path, text: str, words: str) -> None:
    """A mistake in equivalent.toml is told with its line."""
    (joining / "wrong" / "equivalent.toml").write_text(text)
    done = mutate(joining, "--only", SURVIVOR)
    assert done.returncode == 2
    assert words in done.stderr


def test_mutant_that_is_none(joining: Path) -> None:
    """A name that no mutant has in its own is told."""
    done = mutate(joining, "--only", "without p.stop()")
    assert done.returncode == 2
    assert "there is no mutant 'without p.stop()'" in done.stderr


def test_reference_that_is_wrong_itself(joining: Path) -> None:
    """Where the reference loses points, what its mutants lose shows nothing, and that is told."""
    (joining / "reference" / "twice.py").write_text(JOINS.replace("2 * x", "3 * x"))
    done = mutate(joining, "--only", SURVIVOR)
    assert done.returncode == 1
    assert "the reference itself has not all its points, so its mutants show" in done.stdout


def test_notebooks_have_no_mutants() -> None:
    """An assignment whose reference is no module is refused."""
    done = mutate(Path("notebook"))
    assert done.returncode == 2
    assert "notebook has no module as its reference here" in done.stderr
