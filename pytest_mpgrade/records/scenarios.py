"""What one child process is asked to do; part of the records, which are imported from there."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from pytest_mpgrade.records.scripts import OpenGates, Script
from pytest_mpgrade.records.web import WebPage

StepKind = Literal["call", "script", "meet", "let", "drop"]
"""A call, or the module run as a script.

Or, between two of these, *n* processes meet at gates, some tasks go on, or saved values are
dropped.
"""

Awaiting = Literal["", "once", "together", "cancelled", "never"]
"""How a coroutine function is called: not at all (a plain function is), or awaited in an event loop
of the grader's own; several calls at the same time; cancelled while it waits; called and not
awaited.
"""


@dataclass(frozen=True, kw_only=True)
class Again:
    """A call is made again until it answers otherwise."""

    seconds: float  # for so long at most
    stop_text: str  # or until it prints this


@dataclass(frozen=True, kw_only=True)
class PlayRound:
    """One schedule of an exploration: calls in which threads are held at points."""

    number: int  # within its play
    holds: tuple[str, ...]  # texts of `points.Point`


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a scenario: a call, or something between two calls."""

    do: StepKind = "call"
    label: str = ""  # the call as messages name it
    function: str = ""
    ours: bool = False  # that is one of `inside.inspections`, not of the submission
    args: tuple[object, ...] = ()
    kwargs: dict[str, object] = field(default_factory=dict)
    gates: Script = field(default_factory=OpenGates)
    save: str = ""  # name under which later steps find what the call returned
    opaque: bool = False  # what it returned is handles, not data
    again: Again | None = None
    drop: tuple[str, ...] = ()
    own: tuple[str, ...] = ()  # functions of the submission that arguments or tasks name
    keys: tuple[str, ...] | None = None  # of the tasks that it hands out, where they are known
    tasked: bool = True  # it may hand out tasks of `pytest_mpgrade.tasks`, which report to gates
    lazily: bool = False  # an argument is a generator, which can be gone through only once
    same_holdings: bool = False  # leftovers of an earlier call of this scenario count too
    # the supervisor waits for leftovers and lists them; not for one call of several in a row
    last: bool = True
    # our function that is called in place of the submission's, and is given that one first
    via: Callable[..., object] | None = None
    # the child keeps all Process objects: those that the call did not close show by their pipes
    keeps_processes: bool = False
    n: int = 0
    let: tuple[str, ...] = ()  # keys of the tasks whose gates are opened
    look: bool = False  # the stacks of its processes are sampled while it runs
    explored: PlayRound | None = None  # the round that it belongs to
    seconds: float = 0.0  # 0: the assignment's limit
    # seconds for a second try of a call that needs more, unless the reference is much faster
    longest: float = 0.0
    patience: float = 0.0
    awaited: Awaiting = ""  # "together": the arguments are a list for each call
    pages: tuple[WebPage, ...] = ()  # of the grader's web server, whose addresses the call is given

    @functools.cached_property
    def key(self) -> str:
        """A name: equal steps have equal names.

        Some hold ten thousand tasks, so it is made once.
        """
        import pickle

        return _digest(pickle.dumps(self, protocol=4))


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What one child process is asked to do.

    Equal scenarios are run once and shared by all checks.
    """

    steps: tuple[Step, ...]
    start_method: str

    @functools.cached_property
    def key(self) -> str:
        """A name: equal scenarios have equal names."""
        return _digest(" ".join([self.start_method, *(step.key for step in self.steps)]).encode())


def _digest(content: bytes) -> str:
    import hashlib

    return hashlib.sha256(content).hexdigest()[:16]
