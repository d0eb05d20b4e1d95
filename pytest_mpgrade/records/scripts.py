"""Gate scripts: when each task that stands at its gate goes on; part of the records.

A script crosses from the grader to the supervisor as JSON with its name;
`run/supervisor/gate_scripts.py` plays it.
"""

from __future__ import annotations

from typing import Literal, Union

import msgspec


class GateScript(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="script"
):
    """What all scripts have."""

    # workers stand at an exit gate before they end, so that a caller that joins them has to wait
    exit_gates: bool = False


class OpenGates(GateScript, frozen=True, kw_only=True, tag="open"):
    """All gates are open, those too at which tasks of earlier calls stand."""


class ShutGates(GateScript, frozen=True, kw_only=True, tag="shut"):
    """All gates stay shut while the call runs; they open when its tree is quiescent."""


class KeptGates(GateScript, frozen=True, kw_only=True, tag="keep"):
    """Like `ShutGates`, for a call that need not wait.

    The gates at which tasks of earlier calls stand stay shut.
    """


class HeldTask(GateScript, frozen=True, kw_only=True, tag="hold"):
    """The first of *keys* is held for *seconds* after all others have gone through."""

    keys: tuple[str, ...]
    seconds: float


class HeldTasks(GateScript, frozen=True, kw_only=True, tag="loop"):
    """*n* tasks stand at their gates at the same time, while the event loop that awaits them turns.

    They may stand in threads of the calling process. *cancel*: the awaited call is then cancelled,
    and the gates open when it has ended or waits.
    """

    n: int
    cancel: bool = False
    # of all tasks: the gates then open one at a time, and for each another task has to come; 0: no
    total: int = 0


class Rendezvous(GateScript, frozen=True, kw_only=True, tag="line"):
    """*n* processes meet at their gates; then the gates open one at a time.

    The order is drawn from *seed*.
    """

    n: int
    keys: tuple[str, ...]  # in the order of submission
    seed: int


class TimedStart(GateScript, frozen=True, kw_only=True, tag="start"):
    """The gates open *delay* seconds after *n* processes have arrived; the clock starts then."""

    n: int
    delay: float = 0.0


class HeldPoints(GateScript, frozen=True, kw_only=True, tag="points"):
    """All gates are open; a thread that comes to a point of its schedule is held there.

    It goes on when nothing else can happen. *last*: at the end of this call all do. *windows*: of
    each point, the seconds in which nothing may change that somebody polls for.
    """

    last: bool = True
    windows: tuple[float, ...] = ()


class Drained(GateScript, frozen=True, kw_only=True, tag="drain"):
    """What *n* processes at their gates find waiting for them, when no other process can move.

    All gates stay shut until the tree is quiescent. Then all processes but those at gates are
    stopped by a signal, and the gates open: each task that comes then was waiting already.
    """

    n: int


ScriptName = Literal[
    "open", "shut", "keep", "hold", "line", "start", "points", "drain", "loop", "meet", "let"
]
"""The tags of the scripts, and the pauses between two calls."""
Script = Union[  # noqa: UP007 - msgspec reads it in Python 3.10
    OpenGates,
    ShutGates,
    KeptGates,
    HeldTask,
    HeldTasks,
    Rendezvous,
    TimedStart,
    HeldPoints,
    Drained,
]
