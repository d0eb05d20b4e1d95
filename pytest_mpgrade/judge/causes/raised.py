"""Patterns in what was raised, by the call or by a worker."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pytest_mpgrade.judge.causes.cause import Cause
from pytest_mpgrade.judge.tracebacks import Thrown, all_of, by_call, written
from pytest_mpgrade.records import Awaited, Run
from pytest_mpgrade.system.did_you_mean import nearest
from pytest_mpgrade.system.known_names import ABBREVIATED, BUILTINS, MODULES, MULTIPROCESSING


def not_written(run: Run) -> Cause | None:
    """A function that is still to be written raises NotImplementedError, in the caller or in a
    worker.
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


_QUESTIONS = {
    "EOFError: EOF when reading a line": ("input",),
    "BdbQuit": ("breakpoint", "set_trace"),
}


def asks_a_person(run: Run) -> Cause | None:
    """A call asks a question: input() or a debugger; nobody is there."""
    asked = next(
        (_QUESTIONS[thrown.words] for thrown in all_of(run) if thrown.words in _QUESTIONS), ()
    )
    if not asked and not any(Awaited.PERSON in one.awaits for one in run.trace.stuck):
        return None
    use = run.code.use(*(asked or ("input", "breakpoint", "set_trace")))
    what = f"{use.name}() in line {use.line}" if use else "what asks a person"
    return Cause(
        name="asks a person",
        hint=f"take {what} out: nobody is there to answer in a grading",
        first=True,
    )


_CALLED_QUEUE = re.compile(r"'\w*(?:Queue|Connection)' object is not callable")


def hidden_input(run: Run) -> Cause | None:
    """Where a parameter is called input, as that of worker() is, input() is no question but a call
    of a queue.
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
    """Empty and Full are names of the module queue, and not of multiprocessing."""
    found = next((found for thrown in all_of(run) if (found := _found(_EMPTY, thrown))), None)
    if not found:
        return None
    hint = (
        f"from queue import {found[1]}: the exception belongs to the standard library's module"
        " queue"
    )
    return Cause(name="queue.Empty", hint=hint, first=True)


def _found(pattern: re.Pattern[str], thrown: Thrown) -> re.Match[str] | None:
    return pattern.search(thrown.words)


_NO_NAME = re.compile(r"^NameError: name '(\w+)' is not defined")
_NO_ATTRIBUTE = re.compile(r"^AttributeError: module 'multiprocessing' has no attribute '(\w+)'")


def misspelt(run: Run) -> Cause | None:
    """A name that nothing has: one of the submission's, of Python's or of multiprocessing's is like
    it.
    """
    for thrown in all_of(run):
        if found := _found(_NO_ATTRIBUTE, thrown):
            near = nearest(found[1], MULTIPROCESSING)
            return _suggested(f"multiprocessing has no {found[1]}{near}") if near else None
        called = (
            re.search(r"\.(\w+)\(", thrown.code)
            if "'module' object is not callable" in thrown.message
            else None
        )
        if called and called[1].capitalize() in MULTIPROCESSING:
            return _suggested(
                f"mp.{called[1]} is a module; did you mean {called[1].capitalize()!r}?"
            )
        if found := _found(_NO_NAME, thrown):
            return _unknown(found[1], run.code.defines)
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
    """Results of several types have no order."""
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
    """A function that is given any objects with get() and put(), and asks them for more."""
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
    """What takes each item for a task takes the sentinel for one."""
    thrown = by_call(run)
    if thrown is None or not _found(_OF_STOP, thrown):
        return None
    return Cause(
        name="stop as a task",
        hint="look whether an item is 'STOP' before you take it apart, and leave the loop",
    )


def in_the_source(run: Run) -> bool:
    """Tell whether a call raised since a line of its own, in the calling process, has a name that
    nothing has.
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
    """A queue or a lock that was put on a queue: the call says so, or the queue's feeder thread."""
    found = next((thrown for thrown in all_of(run) if _found(_INHERITED, thrown)), None)
    if found is None:
        return None
    hint = "queues and locks go to a Process as its args; they cannot be put on a queue"
    said = (
        ""
        if run.error is not None
        else f"what was put on a queue could not be sent ({found.words})"
    )
    return Cause(name="queue on a queue", said=said, hint=hint, first=True)


def unpicklable_start(run: Run) -> Cause | None:
    """What `start()` cannot send to a new interpreter; the exception is the call's own."""
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


def unpicklable_put(run: Run) -> Cause | None:
    """What a queue's feeder thread could not write: it says so on standard error, and nobody else
    hears of it.
    """
    found = [
        thrown
        for thrown in written(run.stderr)
        if thrown.type in _CANNOT_BE_PICKLED and _found(_PICKLING, thrown) and not thrown.ended
    ]
    if not found:
        return None
    return Cause(
        name="put cannot be pickled",
        said=f"what was put on a queue could not be pickled ({found[-1].words})",
        hint=(
            "a queue pickles what is put on it: of an exception send the text,"
            ' f"{type(error).__name__}: {error}"'
        ),
        first=True,
    )
