"""Patterns in what was raised, by the call or by a worker."""

from __future__ import annotations

import re

from pytest_mpgrade.judge.causes.cause import Cause
from pytest_mpgrade.records import Awaited, Run


def not_written(run: Run) -> Cause | None:
    """A function that is still to be written raises NotImplementedError, in the caller or in a worker."""
    if run.error is not None and run.error.type == "NotImplementedError":
        own = [frame.function for frame in run.error.frames if frame.own]
        return _unwritten(own[-1] if own else run.function)
    found = re.findall(r", in (\w+)\n(?:    .*\n)*NotImplementedError", run.stderr)
    return _unwritten(found[-1]) if found else None


def _unwritten(function: str) -> Cause:
    return Cause(name="not written", said=f"{function.rpartition('.')[2]}() is not written yet", first=True)


_QUESTIONS = {"EOFError: EOF when reading a line": ("input",), "BdbQuit": ("breakpoint", "set_trace")}


def asks_a_person(run: Run) -> Cause | None:
    """A call asks a question: input() or a debugger; nobody is there."""
    last = [line.strip() for line in run.stderr.splitlines() if line.strip()][-1:]
    raised = f"{run.error.type}: {run.error.message}" if run.error is not None else "".join(last)
    asked = next((names for text, names in _QUESTIONS.items() if text in raised), ())
    if not asked and not any(Awaited.PERSON in one.awaits for one in run.trace.stuck):
        return None
    use = run.code.use(*(asked or ("input", "breakpoint", "set_trace")))
    what = f"{use.name}() in line {use.line}" if use else "what asks a person"
    return Cause(name="asks a person", hint=f"take {what} out: nobody is there to answer in a grading", first=True)


_EMPTY = re.compile(r"(?:has no attribute|[Nn]ame|cannot import name) '(Empty|Full)'")


def name_of_empty(run: Run) -> Cause | None:
    """Empty and Full are names of the module queue, and not of multiprocessing."""
    found = _EMPTY.search(_raised(run))
    if not found:
        return None
    hint = f"from queue import {found[1]}: the exception belongs to the standard library's module queue"
    return Cause(name="queue.Empty", hint=hint, first=True)


def _raised(run: Run) -> str:
    return f"{run.error.type}: {run.error.message}" if run.error is not None else run.stderr


_PICKLING = re.compile(r"pickle|local object|Can't get attribute|not the same object as", re.IGNORECASE)
_INHERITED = "should only be shared between processes through inheritance"


def unpicklable_start(run: Run) -> Cause | None:
    """What `start()` cannot send to a new interpreter; the exception is the call's own."""
    if run.error is None:
        return None
    if _INHERITED in run.error.message:
        hint = "queues and locks go to a Process as its args; they cannot be put on a queue"
        return Cause(name="queue on a queue", hint=hint, first=True)
    if run.start_method == "fork" or not _PICKLING.search(f"{run.error.type} {run.error.message}"):
        return None
    hint = (
        f"under {run.start_method} a Process's target and arguments are pickled: define the target at the top of the "
        "module, and give it no lambda and nothing that was made inside a function"
    )
    return Cause(name="target cannot be pickled", hint=hint, first=True)


_FEEDER = re.compile(r"^(?:\w+\.)*(?:PicklingError|TypeError|AttributeError|NotImplementedError): .*", re.MULTILINE)


def unpicklable_put(run: Run) -> Cause | None:
    """What a queue's feeder thread could not write: it says so on standard error, and nobody else hears of it."""
    lines = [line for line in _FEEDER.findall(run.stderr) if _PICKLING.search(line)]
    if not lines:
        return None
    return Cause(
        name="put cannot be pickled",
        said=f"what a worker has put on a queue could not be pickled ({lines[-1][:120]})",
        hint='send an exception as text: f"{type(error).__name__}: {error}"; a queue pickles what is put on it',
        first=True,
    )
