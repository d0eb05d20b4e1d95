"""A run for each pattern of `judge.causes`, written down by hand as real ones were. Pure."""

from __future__ import annotations

from dataclasses import replace

from pytest_mpgrade.judge.examples.hangs import hung, stuck
from pytest_mpgrade.judge.examples.runs import (
    CALLER,
    CREW,
    MIXED,
    by_caller,
    changed,
    child,
    raising,
    worked,
)
from pytest_mpgrade.judge.examples.shown import Shown
from pytest_mpgrade.judge.symptoms import FORCED, NOT_TOLD, UNJOINED
from pytest_mpgrade.records import CALLED_TARGET, Awaited, Code, Ending, Frame, Run, Use, again_in

_RAN = worked(MIXED)
_TERMINATED = changed(_RAN, processes=(child(exitcode=-15), child(CREW[1], exitcode=-15)))
_MESSAGE, _ROOM, _EXIT = Awaited.MESSAGE, Awaited.ROOM, Awaited.EXIT
_WAITING = (stuck("get", 0, _MESSAGE), stuck("get", 1, _MESSAGE), stuck("get", 2, _MESSAGE))
_LAZY = replace(changed(_RAN, encoded=["list", []]), lazily=True)
_FEW = changed(_RAN, events=_RAN.trace.events[1:])


def _uses(run: Run, *names: str) -> Run:
    uses = tuple(Use(name=name, line=20 + line) for line, name in enumerate(names))
    return replace(run, code=Code(uses=uses))


def _twice(run: Run) -> Run:
    again = Use(name=again_in(run.function), line=36, code="for _ in tasks:")
    return replace(run, code=Code(uses=(again,), file="cv_funcs.py"))


def _raised(type: str, message: str = "", *, method: str = "fork") -> Run:
    run = raising(_RAN, type, message)
    assert run.error is not None
    own = Frame(file="cv_funcs.py", line=23, function="mp_apply", own=True)
    code = Code(defines=("calculate", "mp_apply", "worker"))
    return replace(run, start_method=method, code=code, error=replace(run.error, frames=(own,)))


def _ended(run: Run, code: int) -> Run:
    """Return a run whose workers ended with this exit code."""
    return changed(run, processes=tuple(child(pid, exitcode=code, first=0.01) for pid in CREW[:2]))


_TRACEBACK = """Traceback (most recent call last):
  File "cv_funcs.py", line 9, in calculate
    raise NotImplementedError
NotImplementedError
"""
_NOT_PICKLED = """Traceback (most recent call last):
  File "queues.py", line 264, in _feed
    obj = _ForkingPickler.dumps(obj)
TypeError: cannot pickle '_thread.lock' object
"""
_ON_A_QUEUE = """Traceback (most recent call last):
  File "queues.py", line 264, in _feed
    obj = _ForkingPickler.dumps(obj)
RuntimeError: Queue objects should only be shared between processes through inheritance
"""
_NO_NAME = """Process Process-1:
Traceback (most recent call last):
  File "cv_funcs.py", line 14, in worker
    output.put(calcualte(func, args))
               ^^^^^^^^^
NameError: name 'calcualte' is not defined
"""
_ALONE = (stuck("get", 0, _MESSAGE),)

CAUSES: tuple[Shown, ...] = (
    Shown(
        name="not written", symptom="raised NotImplementedError", run=_raised("NotImplementedError")
    ),
    Shown(
        name="not written",
        symptom="hang",
        run=replace(hung(_RAN, *_ALONE), stderr=_TRACEBACK),
    ),
    Shown(
        name="asks a person",
        symptom="raised EOFError",
        run=_uses(_raised("EOFError", "EOF when reading a line"), "input"),
    ),
    Shown(
        name="asks a person", symptom="raised BdbQuit", run=_uses(_raised("BdbQuit"), "breakpoint")
    ),
    Shown(name="asks a person", symptom="hang", run=hung(_RAN, stuck("input", 0, Awaited.PERSON))),
    Shown(
        name="queue.Empty",
        symptom="raised AttributeError",
        run=_raised("AttributeError", "module 'multiprocessing' has no attribute 'Empty'"),
    ),
    Shown(
        name="queue.Empty",
        symptom="raised NameError",
        run=_raised("NameError", "name 'Empty' is not defined"),
    ),
    Shown(
        name="no such name",
        symptom="raised NameError",
        run=_raised("NameError", "name 'workr' is not defined"),
    ),
    Shown(
        name="no such name",
        symptom="raised AttributeError",
        run=_raised("AttributeError", "module 'multiprocessing' has no attribute 'Proces'"),
    ),
    Shown(
        name="no such name",
        symptom="raised NameError",
        run=_raised("NameError", "name 'time' is not defined"),
    ),
    Shown(
        name="no such name",
        symptom="raised NameError",
        run=_raised("NameError", "name 'Queue' is not defined"),
    ),
    Shown(
        name="no such name",
        symptom="hang",
        run=replace(
            _ended(hung(_FEW, *_ALONE), 1),
            stderr=_NO_NAME,
            code=Code(defines=("calculate", "mp_apply", "worker")),
        ),
    ),
    Shown(
        name="sorted",
        symptom="raised TypeError",
        run=_raised("TypeError", "'<' not supported between instances of 'str' and 'int'"),
    ),
    Shown(
        name="input is a queue",
        symptom="raised TypeError",
        run=_uses(_raised("TypeError", "'BareQueue' object is not callable"), "input"),
    ),
    Shown(
        name="queue with get and put",
        symptom="raised AttributeError",
        run=_raised("AttributeError", "'BareQueue' object has no attribute 'empty'"),
    ),
    Shown(
        name="queue with get and put",
        symptom="sentinel ignored",
        run=_raised("AttributeError", "'Queue' object has no attribute 'cancel_join_thread'"),
    ),
    Shown(
        name="ends its process",
        symptom="died",
        run=_uses(replace(_RAN, ending=Ending.DIED, why="dead, exit 0"), "_exit"),
    ),
    Shown(
        name="target cannot be pickled",
        symptom="raised AttributeError",
        run=_raised(
            "AttributeError", "Can't pickle local object 'mp_apply.<locals>.work'", method="spawn"
        ),
    ),
    Shown(
        name="queue on a queue",
        symptom="raised RuntimeError",
        run=_raised(
            "RuntimeError",
            "Queue objects should only be shared between processes through inheritance",
        ),
    ),
    Shown(
        name="queue on a queue",
        symptom="hang",
        run=replace(hung(_FEW, *_WAITING), stderr=_ON_A_QUEUE),
    ),
    Shown(
        name="put cannot be pickled",
        symptom="hang",
        run=replace(hung(_RAN, *_WAITING), stderr=_NOT_PICKLED),
    ),
    Shown(
        name="put cannot be pickled", symptom="swallowed", run=replace(_RAN, stderr=_NOT_PICKLED)
    ),
    Shown(
        name="lock held at fork",
        symptom="hang",
        run=replace(hung(_RAN, stuck("get"), stuck("lock", 1)), returned_under="spawn"),
    ),
    Shown(name="lock", symptom="hang", run=hung(_RAN, stuck("get"), stuck("lock", 1))),
    Shown(
        name="lock",
        symptom="hang",
        run=hung(_RAN, stuck("get"), replace(stuck("lock", 1), holder=CREW[0])),
    ),
    Shown(
        name="feeder thread cut off",
        symptom="hang",
        run=_uses(_ended(hung(_RAN, *_ALONE), 0), "cancel_join_thread"),
    ),
    Shown(
        name="feeder thread cut off",
        symptom="values",
        run=_uses(changed(_RAN, encoded=["list", list(MIXED.expected[1:])]), "_exit"),
    ),
    Shown(
        name="done by the parent",
        symptom="hang",
        run=replace(
            changed(hung(_RAN, *_ALONE), processes=()),
            code=Code(uses=(Use(name=CALLED_TARGET, line=31),)),
        ),
    ),
    Shown(name="pool left", symptom="hang", run=_ended(hung(_FEW, stuck("pool result")), -15)),
    Shown(name="never started", symptom="hang", run=changed(hung(_RAN, *_ALONE), processes=())),
    Shown(
        name="busy",
        symptom="hang",
        run=replace(
            hung(_FEW, stuck("busy", 1), stuck("get")), ending=Ending.TIMED_OUT, seconds=20.0
        ),
    ),
    Shown(name="sleeps", symptom="hang", run=hung(_RAN, stuck("sleep"))),
    Shown(name="left early", symptom="hang", run=_ended(hung(_FEW, *_ALONE), 0)),
    Shown(name="worker died", symptom="hang", run=_ended(hung(_FEW, *_ALONE), 1)),
    Shown(
        name="pipe open in a forked child",
        symptom="start method",
        run=replace(
            hung(_RAN, stuck("receive", 1), stuck("join", 0, _EXIT)), returned_under="spawn"
        ),
    ),
    Shown(
        name="not inherited",
        symptom="start method",
        run=replace(hung(_RAN, *_WAITING), returned_under="fork", start_method="spawn"),
    ),
    Shown(
        name="stop as a task",
        symptom="sentinel ignored",
        run=_raised("ValueError", "too many values to unpack (expected 2)"),
    ),
    Shown(
        name="joined before drained",
        symptom="hang",
        run=hung(_RAN, stuck("join", 0, _EXIT), stuck("write", 1, _ROOM)),
    ),
    Shown(
        name="not told",
        symptom=NOT_TOLD,
        run=hung(_RAN, stuck("join", 0, _EXIT), stuck("get", 1, _MESSAGE)),
    ),
    Shown(name="task never put", symptom="hang", run=hung(_FEW, *_WAITING)),
    Shown(name="result lost", symptom="hang", run=hung(_RAN, *_WAITING)),
    Shown(name="nothing returned", symptom="values", run=changed(_RAN, encoded=["none"])),
    Shown(
        name="no list", symptom="values", run=changed(_RAN, encoded=["tuple", list(MIXED.expected)])
    ),
    Shown(name="no list", symptom="values", run=changed(_RAN, encoded=["dict", []])),
    Shown(
        name="no list",
        symptom="values",
        run=changed(_RAN, encoded=["object", "builtins.generator"]),
    ),
    Shown(name="used up", symptom="values", run=_twice(_LAZY)),
    Shown(name="used up", symptom="values", run=changed(_LAZY, events=())),
    Shown(name="unknown", symptom="values", run=_LAZY),
    Shown(name="copies", symptom="values", run=replace(_LAZY, lazily=False)),
    Shown(
        name="tasks not run",
        symptom="values",
        run=changed(_FEW, encoded=["list", list(MIXED.expected[1:])]),
    ),
    Shown(
        name="results not collected",
        symptom="values",
        run=changed(_RAN, encoded=["list", list(MIXED.expected[1:])]),
    ),
    Shown(
        name="results twice",
        symptom="values",
        run=changed(_RAN, encoded=["list", [*MIXED.expected, *MIXED.expected]]),
    ),
    Shown(
        name="threads", symptom="in the caller", run=_uses(by_caller(_RAN), "ThreadPoolExecutor")
    ),
    Shown(
        name="loky",
        symptom="workers stay alive",
        run=changed(_RAN, processes=(child(CREW[0], exitcode=None, later="alive", reusable=True),)),
    ),
    Shown(name="started here", symptom=UNJOINED, run=_uses(_RAN, "Process")),
    Shown(name="pool not joined", symptom=FORCED, run=_uses(_TERMINATED, "Pool")),
)
"""Each pattern, with a run that it fits."""

assert all(each.run.trace.caller == CALLER for each in CAUSES)
