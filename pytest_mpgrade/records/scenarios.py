"""What one child process is asked to do; part of the records, which are imported from there."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a scenario: a call, or something between two calls."""

    do: str = (
        "call"  # "call", "meet" (n processes at gates), "let" (some tasks go on), "drop" (let go of what was saved)
    )
    label: str = ""  # the call as messages name it
    function: str = ""
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    gates: dict[str, Any] = field(default_factory=lambda: {"script": "open"})
    save: str = ""  # name under which later steps find what the call returned
    opaque: bool = False  # what it returned is handles, not data
    again: dict[str, Any] | None = None  # call again until it answers otherwise: seconds, stop_text
    drop: tuple[str, ...] = ()
    own: tuple[str, ...] = ()  # functions of the submission that its tasks call
    keys: tuple[str, ...] | None = None  # of the tasks that it hands out, where they are known
    same_holdings: bool = False  # leftovers are counted from an earlier call of this scenario
    last: bool = True  # it is waited for, and looked at, what is left; not for one of a row of calls
    n: int = 0
    let: tuple[str, ...] = ()  # keys of the tasks whose gates are opened
    look: bool = False  # the stacks of its processes are looked at while it runs
    seconds: float = 0.0  # 0: the assignment's limit
    longest: float = 0.0  # seconds for a call that goes on, where the reference is not much faster; 0: no more
    patience: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What one child process is asked to do. Equal scenarios are run once and shared by all checks."""

    steps: tuple[Step, ...]
    start_method: str

    @functools.cached_property
    def key(self) -> str:
        """A name: equal scenarios have equal names. Some hold ten thousand tasks, so it is made once."""
        import hashlib
        import pickle

        return hashlib.sha256(pickle.dumps((self.start_method, self.steps), protocol=4)).hexdigest()[:16]
