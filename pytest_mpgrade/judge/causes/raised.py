"""Patterns of exceptions, raised by the call or by a worker."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pytest_mpgrade.judge.asked_person import asked_person
from pytest_mpgrade.judge.causes.cause import Cause
from pytest_mpgrade.judge.tracebacks import Thrown, all_of, by_call, written
from pytest_mpgrade.records import Run
from pytest_mpgrade.system.did_you_mean import nearest
from pytest_mpgrade.system.known_names import ABBREVIATED, BUILTINS, MODULES, MULTIPROCESSING


def not_written(run: Run) -> Cause | None:
    """A function that is still to be written raises NotImplementedError.

    The caller or a worker may be the one that raises.
    """
    for thrown in all_of(run):
        raised_there = bool(thrown.frames) and thrown.frames[-1].own
        if thrown.type == "NotImplementedError" and raised_there:
            name, called = thrown.frames[-1].function.rpartition(".")[2], run.function
            said = f"{name}() is not written yet: it raises NotImplementedError"
            if called not in ("import", name):
                said = (
                    f"{called}() needs {name}(), which is not written yet: it raises"
                    " NotImplementedError"
                )
            return Cause(
                name="not written", said=said, first=True, source=thrown.source, alone=True
            )
    return None


def asks_a_person(run: Run) -> Cause | None:
    """A call asks a person with input() or a debugger, and no person is there."""
    asked = asked_person(run)
    if asked is None:
        return None
    place = f" of {asked.place}" if asked.place else ""
    hint = (
        f"take {asked.function} out{place}: a grading has no keyboard; to use it, make this call in"
        " your own terminal: mpgrade debug, with the names of the assignment and of this test"
    )
    return Cause(name="asks a person", hint=hint, first=True, source=asked.source)


_CALLED_QUEUE = re.compile(r"'\w*(?:Queue|Connection)' object is not callable")


def hidden_input(run: Run) -> Cause | None:
    """The submission calls input() where a parameter has the name input, as in worker().

    Then input() is not a question to a person but a call of the queue.
    """
    use = run.code.use("input")
    if use is None or not any(
        thrown.type == "TypeError" and _found(_CALLED_QUEUE, thrown) for thrown in all_of(run)
    ):
        return None
    hint = (
        f"take input() in line {use.line} out: in that function input is the queue, and nobody is"
        " there to answer in a grading"
    )
    return Cause(name="input is a queue", hint=hint, first=True)


_EMPTY = re.compile(r"(?:has no attribute|[Nn]ame|cannot import name) '(Empty|Full)'")


def name_of_empty(run: Run) -> Cause | None:
    """The module multiprocessing has no Empty and Full: the module queue does."""
    missing = next((missing for thrown in all_of(run) if (missing := _found(_EMPTY, thrown))), None)
    if not missing:
        return None
    hint = (
        f"from queue import {missing[1]}: the exception belongs to the standard library's module"
        " queue"
    )
    return Cause(name="queue.Empty", hint=hint, first=True)


def _found(pattern: re.Pattern[str], thrown: Thrown) -> re.Match[str] | None:
    return pattern.search(thrown.words)


_NO_NAME = re.compile(r"^NameError: name '(\w+)' is not defined")
_NO_ATTRIBUTE = re.compile(r"^AttributeError: module 'multiprocessing' has no attribute '(\w+)'")


def misspelt(run: Run) -> Cause | None:
    """The submission uses a name that is not defined, and a similar name is.

    The similar name belongs to the submission, to Python, or to multiprocessing.
    """
    for thrown in all_of(run):
        if missing := _found(_NO_ATTRIBUTE, thrown):
            near = nearest(missing[1], MULTIPROCESSING)
            return _suggested(f"multiprocessing has no {missing[1]}{near}") if near else None
        called = (
            re.search(r"\.(\w+)\(", thrown.code)
            if "'module' object is not callable" in thrown.message
            else None
        )
        if called and called[1].capitalize() in MULTIPROCESSING:
            return _suggested(
                f"mp.{called[1]} is a module; did you mean {called[1].capitalize()!r}?"
            )
        if missing := _found(_NO_NAME, thrown):
            return _unknown(missing[1], run.code.defines)
    return None


def _unknown(name: str, defined: Iterable[str]) -> Cause | None:
    if name in ABBREVIATED or name in MODULES:
        return _suggested(
            f"{ABBREVIATED.get(name, f'import {name}')}: a module has to be imported before it is"
            " used"
        )
    if name in MULTIPROCESSING:
        return _suggested(
            f"{name} is a name of multiprocessing: write mp.{name}, with import multiprocessing"
            " as mp"
        )
    near = nearest(name, {*defined, *BUILTINS})
    return _suggested(f"there is no {name}{near}") if near else None


def _suggested(hint: str) -> Cause:
    return Cause(name="no such name", hint=hint, first=True)


def not_to_be_sorted(run: Run) -> Cause | None:
    """The submission sorts results of several types, which have no order."""
    thrown = by_call(run)
    if (
        thrown is None
        or thrown.type != "TypeError"
        or "not supported between instances of" not in thrown.message
    ):
        return None
    return Cause(
        name="sorted",
        hint="return the results as they come: those of different types cannot be sorted",
    )


_OF_OTHERS = re.compile(
    r"BareQueue|'Queue' object has no attribute '(?:\w*join_thread|close|recv|poll)'"
)


def bare_queue(run: Run) -> Cause | None:
    """A function uses more of its queues than get() and put(), and they have nothing else."""
    thrown = by_call(run)
    if thrown is None or not _found(_OF_OTHERS, thrown):
        return None
    hint = (
        f"{run.function}() is given objects that have get() and put() and nothing else: call only"
        " these, as they are"
    )
    return Cause(name="queue with get and put", hint=hint, first=True)


_OF_STOP = re.compile(r"unpack|'str' object|'STOP'")


def stop_as_task(run: Run) -> Cause | None:
    """A loop unpacks the sentinel as if it were a task."""
    thrown = by_call(run)
    if thrown is None or not _found(_OF_STOP, thrown):
        return None
    return Cause(
        name="stop as a task",
        hint="look whether an item is 'STOP' before you take it apart, and leave the loop",
    )


def in_the_source(run: Run) -> bool:
    """Tell whether a line of the submission raised because it uses an undefined name.

    The line ran in the calling process.
    """
    thrown = by_call(run)
    if (
        thrown is None
        or not thrown.frames
        or not thrown.frames[-1].own
        or thrown.code.startswith("raise")
    ):
        return False
    return thrown.type in ("NameError", "UnboundLocalError") or bool(_found(_EMPTY, thrown))


_PICKLING = re.compile(
    r"pickle|local object|Can't get attribute|not the same object as", re.IGNORECASE
)
_INHERITED = re.compile("should only be shared between processes through inheritance")


def queue_on_a_queue(run: Run) -> Cause | None:
    """The submission puts a queue or a lock on a queue.

    The call raises for this, or the feeder thread of the queue does.
    """
    exception = next((thrown for thrown in all_of(run) if _found(_INHERITED, thrown)), None)
    if exception is None:
        return None
    hint = "queues and locks go to a Process as its args; they cannot be put on a queue"
    said = (
        ""
        if run.error is not None
        else f"what was put on a queue could not be sent ({exception.words})"
    )
    return Cause(name="queue on a queue", said=said, hint=hint, first=True)


def unpicklable_start(run: Run) -> Cause | None:
    """The call raises because `start()` cannot send an object to a new interpreter."""
    if run.error is None:
        return None
    if run.start_method == "fork" or not _PICKLING.search(f"{run.error.type} {run.error.message}"):
        return None
    hint = (
        f"under {run.start_method} a Process's target and arguments are pickled: define the target"
        " at the top of the module, and give it no lambda and nothing that was made inside a"
        " function"
    )
    return Cause(name="target cannot be pickled", hint=hint, first=True)


_CANNOT_BE_PICKLED = frozenset(
    ("PicklingError", "TypeError", "AttributeError", "NotImplementedError")
)
"""What pickle raises for an object that it cannot pickle."""


def unpicklable_put(run: Run) -> Cause | None:
    """The feeder thread of a queue could not pickle an object.

    The thread writes a traceback to standard error. No process gets an exception.
    """
    exceptions = [
        thrown
        for thrown in written(run.stderr)
        if thrown.type in _CANNOT_BE_PICKLED and _found(_PICKLING, thrown) and not thrown.ended
    ]
    if not exceptions:
        return None
    return Cause(
        name="put cannot be pickled",
        said=f"what was put on a queue could not be pickled ({exceptions[-1].words})",
        hint=(
            "a queue pickles what is put on it: of an exception send the text,"
            ' f"{type(error).__name__}: {error}"'
        ),
        first=True,
    )
