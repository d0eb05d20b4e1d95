"""The steps of a play: calls of the submission, and what happens between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from pytest_mpgrade.inside import workloads
from pytest_mpgrade.inside.placeholders import (
    BareQueue,
    Lazily,
    Own,
    PipeEnd,
    Saved,
    ThreadQueue,
)
from pytest_mpgrade.records import (
    Again,
    Awaiting,
    KeptGates,
    OpenGates,
    Script,
    ShutGates,
    Step,
)
from pytest_mpgrade.tasks import Workload

SHUT = ShutGates()
"""All gates stay shut while the call runs; if it waits for good, they are opened."""

KEPT = KeptGates()
"""Like `SHUT`, for a call that need not wait.

The gates at which tasks of earlier calls stand stay shut.
"""

_OUR_WORKLOADS = workloads.__name__.rpartition(".")[0]
"""The package of our functions and classes, which may report to gates."""

OPEN = OpenGates()
"""All gates are open, those too at which tasks of earlier calls stand."""

_AWAITED: dict[Awaiting, str] = {
    "": "{}",
    "once": "await {}",
    "together": "{}",
    "cancelled": "await {}, cancelled",
    "never": "{}, not awaited",
}
"""How messages name a call."""


def call(
    function: str,
    *args: object,
    save: str = "",
    opaque: bool = False,
    gates: Script | None = None,
    again: Again | None = None,
    same_holdings: bool = False,
    last: bool = True,
    seconds: float = 0.0,
    longest: float = 0.0,
    patience: float = 0.0,
    look: bool = False,
    words: str = "",
    via: Callable[..., object] | None = None,
    keeps_processes: bool = False,
    awaited: Awaiting = "",
    **kwargs: object,
) -> Step:
    """Return a call of *function*.

    *save* is the name under which later steps find what the call returned; *opaque* says that this
    is handles, not data. *gates* says when tasks go on, by default as the workload among the
    arguments does. *again*: call again until it returns something but None, or prints a text.
    *same_holdings*: leftovers of an earlier call count, too. *last*: wait for leftovers to end.
    *seconds* and *patience* replace the usual limits. *longest*: the call is made once more with
    this limit if it needs more, unless the reference is much faster. *look*: sample
    its stacks while it runs. *words*: how messages name the arguments. *via*: a function of
    `tasks.work` that is called in place of *function*, with it before the other arguments.
    *keeps_processes*: a Process that the call has not closed shows by its pipes. *awaited* is for a
    coroutine function: its tasks may run in threads of the calling process, too.
    """
    return Step(
        label=_AWAITED[awaited].format(_label(function, args, kwargs, words)),
        function=function,
        args=tuple(arg.argument if isinstance(arg, Workload) else arg for arg in args),
        kwargs=kwargs,
        gates=gates or next((arg.gates for arg in args if isinstance(arg, Workload)), OPEN),
        save=save,
        opaque=opaque,
        again=again,
        same_holdings=same_holdings,
        last=last,
        **_holds(args, kwargs),
        seconds=seconds,
        longest=longest,
        patience=patience,
        look=look,
        awaited=awaited,
        via=via,
        keeps_processes=keeps_processes,
    )


def _holds(args: tuple[object, ...], kwargs: dict[str, object]) -> dict[str, Any]:
    """Return the fields of a step that say which functions and tasks its arguments hold."""
    every = (*args, *kwargs.values())
    return {
        "own": _own(args),
        "keys": _keys(args),
        "tasked": _may_hold_task(every),
        "lazily": any(map(_is_lazy, every)),
    }


def _is_lazy(arg: object) -> bool:
    return isinstance(arg, Lazily) or (isinstance(arg, Workload) and arg.lazy)


def _label(function: str, args: tuple[object, ...], kwargs: dict[str, object], words: str) -> str:
    """Return the call as messages name it; *words* take the place of its arguments."""
    named = [f"{name}={value!r}" for name, value in kwargs.items()]
    shown = [words] if words else [_shown(arg) for arg in args if not isinstance(arg, Saved)]
    return f"{function}({', '.join([*shown, *named] or ['…'])})"


def script(*, seconds: float = 0.0) -> Step:
    """Return a step that runs the submission's module as a script, as ``python MODULE`` does.

    Its children, too, find it as a script: under spawn and forkserver they import it anew, as
    `__mp_main__`. *seconds* replace the usual limit.
    """
    return Step(
        do="script",
        label="the module run as a script",
        function="the script",
        keys=(),
        tasked=False,
        seconds=seconds,
    )


def gather(function: str, *calls: Sequence[object], gates: Script = OPEN) -> Step:
    """Return several calls of a coroutine function that are awaited at the same time.

    *calls* are the arguments of each. They return a list of what each call has returned.
    """
    step = call(function, *map(list, calls), gates=gates, awaited="together")
    return replace(step, label=f"{len(calls)} calls of {function}(…) at the same time")


def _own(args: tuple[object, ...]) -> tuple[str, ...]:
    """Return the names of the submission's functions that the arguments hold.

    Functions that tasks among the arguments call are among them.
    """
    return tuple(sorted({name for arg in args for name in _names(arg)}))


def _names(value: object) -> Iterator[str]:
    if isinstance(value, Own):
        yield value.name
    elif isinstance(value, Workload):  # of thousands of tasks, maybe: only what they call
        yield from (func.name for func, _ in value.tasks if isinstance(func, Own))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _names(item)


def _keys(args: tuple[object, ...]) -> tuple[str, ...] | None:
    """Return the keys of the tasks among the arguments.

    An argument that is neither a workload nor saved may hold any task. A function beside a workload
    is what is applied to its items.
    """
    given = [arg for arg in args if isinstance(arg, Workload)]
    if not all(isinstance(arg, (Workload, Saved)) or (given and callable(arg)) for arg in args):
        return None
    return tuple(key for each in given for key in each.keys)


def _may_hold_task(value: object) -> bool:
    """Tell whether a task of ours may be in an argument; there is none in plain values."""
    if isinstance(value, (Workload, Saved, ThreadQueue, BareQueue, Lazily)):
        return True
    if isinstance(value, (list, tuple, set, frozenset)):
        return any(map(_may_hold_task, value))
    if isinstance(value, dict):
        return any(map(_may_hold_task, (*value, *value.values())))
    return str(getattr(value, "__module__", "")).startswith(_OUR_WORKLOADS)


def _shown(arg: object) -> str:
    if isinstance(arg, Workload):
        return arg.label
    if isinstance(arg, (ThreadQueue, BareQueue)):
        return "a queue"
    if isinstance(arg, PipeEnd):
        return "a connection"
    if isinstance(arg, Lazily):
        return "a generator"
    if isinstance(arg, tuple) and arg and callable(arg[0]):
        return "a task"
    return getattr(arg, "__name__", None) or repr(arg)[:40]


def meet(n: int) -> Step:
    """Return a pause until *n* different processes stand at their gates.

    It also ends when the tree is quiescent.
    """
    return Step(do="meet", label=f"{n} tasks at a time", n=n)


def let(*keys: str) -> Step:
    """Return a pause in which the gates of these tasks open.

    It ends when the effects of that are done.
    """
    return Step(do="let", label="letting a task go on", let=keys)


def drop(*names: str) -> Step:
    """Return a step that lets go of what was saved and looks at what is left."""
    return Step(do="drop", label="dropping the handles", drop=names)


def saved(name: str, items: int) -> tuple[Saved, ...]:
    """Return stand-ins for the *items* items of a tuple that an earlier step returned."""
    return tuple(Saved(name, item) for item in range(items))


def whole(name: str) -> Saved:
    """Return a stand-in for all that an earlier step returned."""
    return Saved(name)


def own(name: str) -> Own:
    """Return a stand-in for a function of the submission's module."""
    return Own(name)
