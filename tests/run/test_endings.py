"""How calls and imports end: values, errors, exits, and deaths; real processes."""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_mpgrade import steps
from pytest_mpgrade.inside import plain_data
from pytest_mpgrade.records import Ending, Phase, Scenario
from pytest_mpgrade.run.client import module_run
from support.running import MakeRuns, setting
from support.runs import OBSERVERS, encoded

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="observes with ptrace and /proc"
)

# --- how calls end


@OBSERVERS
def test_value_comes_back(play: MakeRuns, observer: str) -> None:
    """What a function returns arrives with its types, and what it printed with it."""
    text = """
        def f(x, *, scale):
            print("so", x)
            return [x * scale, None, True, "STOP", {"a": (1.5, b"z")}]
    """
    imported, run = play(text, steps.call("f", 3, scale=2), observer=observer)
    assert (imported.ending, imported.import_children) == (Ending.RETURNED, 0)
    assert run.ending is Ending.RETURNED
    assert run.encoded == encoded([6, None, True, "STOP", {"a": (1.5, b"z")}])
    assert run.printed == "so 3\n"
    assert run.trace.processes == ()
    assert run.trace.leftovers == ()
    assert run.trace.observer == {"auto": "ptrace"}.get(observer, observer)


def test_raised_error_has_the_students_own_line(play: MakeRuns) -> None:
    """An exception comes as text, with its causes and the student's line, though the library raised
    it.
    """
    text = """
        import json

        def f(text):
            try:
                return json.loads(text)
            except ValueError as error:
                raise RuntimeError("kaputt 4711") from error
    """
    run = play(text, steps.call("f", "{"))[1]
    assert run.ending is Ending.RAISED
    assert run.error is not None
    assert (run.error.type, run.error.message) == ("RuntimeError", "kaputt 4711")
    assert run.error.line == 'raise RuntimeError("kaputt 4711") from error'
    assert run.error.chain[0].startswith("JSONDecodeError: Expecting property name")
    assert [frame.line for frame in run.error.frames if frame.own] == [7]


@pytest.mark.parametrize(
    "how", ["raise SystemExit(0)", "raise KeyboardInterrupt", "raise BaseException('x')"]
)
def test_exit_in_a_call_is_an_error_of_the_call(play: MakeRuns, how: str) -> None:
    """An exception that would end the interpreter is one more exception, and later calls are still
    made.
    """
    text = f"""
        def f():
            {how}

        def g():
            return 1
    """
    _, first, second = play(text, steps.call("f"), steps.call("g"))
    assert first.ending is Ending.RAISED
    assert first.error is not None
    assert first.error.type in how
    assert second.encoded == encoded(1)


@OBSERVERS
@pytest.mark.parametrize(
    ("how", "code"),
    [("os._exit(7)", 7), ("os._exit(0)", 0), ("os.kill(os.getpid(), 9)", -9), ("os.abort()", -6)],
)
def test_caller_that_ends_itself_has_died(
    play: MakeRuns, how: str, code: int, observer: str
) -> None:
    """A call in which the calling process ends is told with its exit status."""
    run = play(f"import os\n\ndef f():\n    {how}\n", steps.call("f"), observer=observer)[1]
    assert run.ending is Ending.DIED
    if observer != "proc":  # without ptrace it is a child of ours all the same, but nobody asks
        assert run.exitcode == code


def test_fault_of_recursion_is_an_error(play: MakeRuns) -> None:
    """RecursionError, and an exception whose own text cannot be made, are told as errors."""
    text = """
        class Odd(Exception):
            def __str__(self):
                return 1 / 0

        def f():
            return f()

        def g():
            raise Odd
    """
    _, deep, odd = play(text, steps.call("f"), steps.call("g"))
    assert deep.error is not None
    assert deep.error.type == "RecursionError"
    assert odd.error is not None
    assert (odd.error.type, odd.error.message) == ("Odd", "<no message: ZeroDivisionError>")


# --- imports


def test_missing_package_is_named(play: MakeRuns) -> None:
    """A module that needs a package that is not here was not imported, and the package is named."""
    (run,) = play("import nothing_of_that_name.below\n")
    assert run.ending is Ending.NOT_IMPORTED
    assert run.error is not None
    assert run.error.type == "ModuleNotFoundError"
    assert run.facts.missing == "nothing_of_that_name"


def test_import_that_raises(play: MakeRuns) -> None:
    """An error at import is told with the student's own line, and no call is made."""
    (run,) = play("x = {}\ny = x['a']\n", steps.call("f"))
    assert run.ending is Ending.NOT_IMPORTED
    assert run.error is not None
    assert (run.error.type, run.error.line) == ("KeyError", "y = x['a']")


@pytest.mark.parametrize("code", [0, 3])
def test_system_exit_at_import(play: MakeRuns, code: int) -> None:
    """SystemExit at import is an import that failed, whatever its status."""
    (run,) = play(f"import sys\nsys.exit({code})\n", steps.call("f"))
    assert run.ending is Ending.NOT_IMPORTED
    assert run.error is not None
    assert (run.error.type, run.error.message) == ("SystemExit", str(code))


@OBSERVERS
def test_interpreter_ended_at_import(play: MakeRuns, observer: str) -> None:
    """os._exit(0) at import is an import that failed, though the status is that of success."""
    (run,) = play("import os\nos._exit(0)\n", steps.call("f"), observer=observer)
    assert run.ending is Ending.NOT_IMPORTED
    assert (run.phase, run.why) == (Phase.IMPORT, "dead while the module was imported")


def test_endless_loop_at_import(play: MakeRuns) -> None:
    """An import that does not end is ended, and the line where it was is shown."""
    (run,) = play("x = 0\nwhile True:\n    x += 1\n", steps.call("f"), import_seconds=3.0)
    assert run.ending is Ending.NOT_IMPORTED
    assert run.phase is Phase.IMPORT
    assert {frame.line for stuck in run.trace.stuck for frame in stuck.frames if frame.own} <= {
        2,
        3,
    }
    assert len(run.trace.stuck) == 1


def test_processes_at_import_are_counted(play: MakeRuns) -> None:
    """A child process that the import starts is seen, and ended."""
    text = """
        import multiprocessing as mp
        import time

        mp.get_context("fork").Process(target=time.sleep, args=(1000,), daemon=True).start()

        def f():
            return 1
    """
    imported, run = play(text, steps.call("f"))
    assert imported.import_children == 1
    assert run.encoded == encoded(1)


SIGNATURES = """
    import functools

    def plain(a, b=1):
        pass

    def wide(a, /, b, *rest, c, d=2, **more):
        pass

    @functools.wraps(wide)
    def wrapped(*args, **kwargs):
        pass

    class Callable:
        def __call__(self, x):
            pass

    instance = Callable()
    partly = functools.partial(plain, 1)
    builtin = max
    number = 3
"""


def test_signatures_are_those_of_inspect(module: Callable[[str], Path]) -> None:
    """Of each function the child tells what `inspect.signature` says, whether or not it asks
    that.
    """
    names = ("plain", "wide", "wrapped", "Callable", "instance", "partly", "builtin", "number")
    plainly = setting(module(SIGNATURES))
    asked = replace(
        plainly, assignment=replace(plainly.assignment, functions=dict.fromkeys(names, ()))
    )
    (run,) = module_run.run_module(Scenario(steps=(), start_method="fork"), asked)
    there: dict[str, Any] = {}
    exec(textwrap.dedent(SIGNATURES), there)

    def known(name: str) -> object:
        try:
            found = inspect.signature(there[name]).parameters.values()
        except TypeError:
            return None
        except ValueError:
            return []
        return [(each.name, str(each.kind), each.default is not each.empty) for each in found]

    assert run.facts.functions == {name: known(name) for name in names}


def test_parameters_are_those_of_what_is_called(module: Callable[[str], Path]) -> None:
    """functools.wraps names a function whose parameters those of the wrapper need not be; only one
    that takes anything has those of the other.
    """
    text = """
        import functools

        def made(**common):
            pass

        @functools.wraps(made)
        def fit(x, y, seed=0):
            pass
    """
    plainly = setting(module(text))
    asked = replace(plainly, assignment=replace(plainly.assignment, functions={"fit": ()}))
    (run,) = module_run.run_module(Scenario(steps=(), start_method="fork"), asked)
    found = run.facts.functions["fit"]
    assert found is not None
    assert [each[0] for each in found] == ["x", "y", "seed"]


def test_files_with_the_names_of_libraries(module: Callable[[str], Path]) -> None:
    """What the child loads late is Python's own, whatever the submission's files are called."""
    text = """
        import functools

        def f(size):
            return bytes(size)

        @functools.wraps(f)
        def g(*args):
            raise ValueError("kaputt")
    """
    folder = module(text)
    for name in ("base64", "hashlib", "inspect", "linecache", "queue", "tokenize", "traceback"):
        (folder / f"{name}.py").write_text("raise ImportError('mine')\n")
    plainly = setting(folder)
    asked = replace(plainly, assignment=replace(plainly.assignment, functions={"f": (), "g": ()}))
    calls = (steps.call("f", 100_000), steps.call("g", 1), steps.call("f", steps.ThreadQueue([])))
    imported, large, raising, queued = module_run.run_module(
        Scenario(steps=calls, start_method="fork"), asked
    )
    assert imported.facts.functions == {
        name: [("size", "POSITIONAL_OR_KEYWORD", False)] for name in "fg"
    }
    assert large.encoded == plain_data.encode(bytes(100_000))
    assert raising.error is not None
    assert (raising.error.message, raising.error.line) == ("kaputt", 'raise ValueError("kaputt")')
    assert (queued.ending, queued.error and queued.error.type) == (Ending.RAISED, "TypeError")


@OBSERVERS
def test_what_follows_a_return_has_time_of_its_own(play: MakeRuns, observer: str) -> None:
    """A call that returns shortly before its limit has returned, though the answer and the
    collection of garbage come after the limit.
    """
    text = """
        import time

        class Held:
            def __del__(self):
                time.sleep(1.5)

        def f():
            held = Held()
            held.itself = held
            for _ in range(12):  # so that to wait for longer is no further round
                time.sleep(0.1)
            return 7
    """
    _, run = play(text, steps.call("f"), observer=observer, seconds=2.0)
    assert (run.ending, run.encoded) == (Ending.RETURNED, encoded(7)), run.why
