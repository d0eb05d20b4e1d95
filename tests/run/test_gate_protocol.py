"""A model of the gate protocol: a made-up tree of processes plays against the real scripts, in
drawn orders.

Each process is a list of what it does (come to a gate, leave by one, end, die); a drawn order
decides who goes on next, and time passes only where nobody can. Whatever the order and whoever dies
where: every call ends, nobody alive is left at a shut gate, and what is told of a process happened
while it lived.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from types import SimpleNamespace
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mpgrade.records import (
    HeldPoints,
    HeldTask,
    HeldTasks,
    KeptGates,
    OpenGates,
    ProcessState,
    Rendezvous,
    Script,
    ShutGates,
    TimedStart,
)
from pytest_mpgrade.run.explain.stacks import Stacks
from pytest_mpgrade.run.observe import reading, watch
from pytest_mpgrade.run.observe.base import ObservedProcess, Roll
from pytest_mpgrade.run.observe.clock import Clock
from pytest_mpgrade.run.observe.gate_socket import Message
from pytest_mpgrade.run.observe.watch import Watch
from pytest_mpgrade.run.supervisor import gate_scripts, held_points, loop_script
from pytest_mpgrade.system.linux.procfs import Thread

CALLER = 100
SECONDS, PATIENCE = 30.0, 4.0


@dataclass(kw_only=True)
class Process:
    """One process of the model."""

    pid: int
    todo: list[str]  # "task", "leave", "end", "die"
    at: str = ""  # the gate that it stands at: a key, or "exit"
    alive: bool = True
    told: list[str] = field(default_factory=list)  # keys that it has told of

    @property
    def can_go(self) -> bool:
        """Tell whether it could go on now."""
        return self.alive and not self.at and bool(self.todo)


@dataclass(kw_only=True)
class Program:
    """What is called: workers that take tasks, and a caller that waits for some of them, or does
    not.
    """

    keys: Sequence[str]
    workers: int
    waits_for: str  # "results", "exits", "nothing", "for ever", or "dies"
    dynamic: bool  # tasks are taken from one queue; else each worker has its own share
    dies: tuple[int, int]  # worker, and before which of its steps; -1: none
    killed: tuple[int, int]  # worker, and at which of its gates; -1: none
    leaves: bool  # workers say that they leave


class Tree:
    """The processes, a transport and an observer in one: everything that the scripts see."""

    address = key = ""
    attests = sees_exits = sees_waits = True
    lag = 0.0
    name = "model"
    taken = 0

    def __init__(self, program: Program, draw: Orders | random.Random) -> None:
        self.program, self.draw, self.now = program, draw, 1000.0
        self.queue = list(program.keys)
        self.seen = Roll()
        self.crew = [self._worker(number) for number in range(program.workers)]
        self.caller = Process(pid=CALLER, todo=["back"])
        for each in (self.caller, *self.crew):
            self.seen[each.pid] = ObservedProcess(
                pid=each.pid, parent=CALLER if each is not self.caller else 1
            )
        self.done = 0
        self.after_death: list[str] = []

    def _worker(self, number: int) -> Process:
        program = self.program
        mine = (
            len(program.keys) if program.dynamic else len(program.keys[number :: program.workers])
        )
        todo = ["task"] * mine + ["leave"] * program.leaves + ["end"]
        worker, step = program.dies
        if worker == number:
            todo[step:] = ["die"]
        return Process(pid=CALLER + 1 + number, todo=todo)

    # --- what happens

    def step(self, one: Process) -> Iterator[Message]:
        """Have one process take its next step; yield what it tells."""
        what = "die" if one.at else one.todo.pop(0)
        if what == "task":
            if not self.queue:
                one.todo = [each for each in one.todo if each != "task"]
                return
            one.at = self.queue.pop(0)
            one.told.append(one.at)
            yield self._says(one, "gate", key=one.at)
        elif what == "leave":
            one.at = "exit"
            yield self._says(one, "leave", key="")
        elif what == "back":
            yield self._says(one, "back")
        else:
            one.alive = False
            self.seen[one.pid].end()
            yield Message(sender=one.pid, pid=0)

    def _says(self, one: Process, kind: str, key: str = "") -> Message:
        if not one.alive:
            self.after_death.append(kind)
        return Message(sender=one.pid, pid=one.pid, kind=kind, key=key)

    def _caller_can_go(self) -> bool:
        waits = self.program.waits_for
        over = {
            "results": self.done >= len(self.program.keys),
            "exits": not any(each.alive for each in self.crew),
        }
        return self.caller.can_go and over.get(waits, waits in ("nothing", "dies"))

    def runnable(self) -> list[Process]:
        """Return who could go on now."""
        if self.program.waits_for == "dies" and self.caller.todo == ["back"]:
            self.caller.todo = ["die"]
        able = [each for each in self.crew if each.can_go or self._is_killed(each)]
        return able + [self.caller] * self._caller_can_go()

    def _is_killed(self, one: Process) -> bool:
        """Tell whether it is at the gate at which it will be killed."""
        number, gate = self.program.killed
        return (
            one.alive
            and bool(one.at)
            and one is self.crew[number]
            and number >= 0
            and len(one.told) == gate
        )

    # --- the transport

    def poll(self, seconds: float) -> Iterator[Message]:
        """Let somebody go on; where nobody can, time passes."""
        able = self.runnable()
        if able:
            self.now += 0.001
            yield from self.step(self.draw.choice(able))
        else:
            self.now += max(seconds, 0.01)

    def answer(self, sender: int, _: bytes) -> None:
        """Open the gate that somebody stands at."""
        for each in self.crew:
            if each.pid == sender and each.alive and each.at:
                self.done += each.at != "exit"
                each.at = ""

    def owes(self) -> bool:
        """Tell that no thread of ours has anything to answer."""
        return False

    def close(self) -> None:
        """Nothing is open."""

    # --- the observer

    def start(self, how: Any) -> int:
        """Everything runs already."""
        return CALLER

    def refresh(self) -> None:
        """Everything is known."""

    def meet(self, pid: int) -> bool:
        """Everybody is known."""
        return pid in self.seen

    def state(self, pid: int) -> ProcessState:
        """Who has ended is gone."""
        return "gone" if self.seen[pid].ended else "alive"

    def threads(self, pids: Sequence[int]) -> list[Thread]:
        """Who could go on wants a core; all others sleep without time-out."""
        able = {each.pid for each in self.runnable()}
        rest = {"switches": 1, "ran": 0, "queued": 0, "timed": False, "syscall": "futex"}
        return [Thread(pid=pid, tid=pid, state="R" if pid in able else "S", **rest) for pid in pids]  # type: ignore[arg-type]  # - fields by their names

    def chars_read(self, pid: int) -> int:
        """Nobody reads."""
        return 0

    memory = chars_read

    def pending(self) -> bool:
        """Nobody waits for us."""
        return False

    def stopped(self, pid: int) -> bool:
        """Nobody is stopped."""
        return False

    def end_all(self, deadline: float) -> bool:
        """There is nothing real."""
        return True


KEYS = ("0", "1", "2", "3")


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Draw a program."""
    workers = draw(st.integers(1, 3))
    return Program(
        keys=KEYS[: draw(st.integers(1, len(KEYS)))],
        workers=workers,
        waits_for=draw(st.sampled_from(["results", "exits", "nothing", "for ever", "dies"])),
        dynamic=draw(st.booleans()),
        dies=draw(
            st.one_of(st.just((-1, 0)), st.tuples(st.integers(0, workers - 1), st.integers(0, 5)))
        ),
        killed=draw(
            st.one_of(st.just((-1, 0)), st.tuples(st.integers(0, workers - 1), st.integers(1, 3)))
        ),
        leaves=draw(st.booleans()),
    )


SCRIPTS = sorted({str(each.__struct_config__.tag) for each in get_args(Script)} - {"drain"})
"""All but the one that stops real processes by a signal: tests/run/test_draining.py has it."""


def _script(name: str, program: Program, exit_gates: bool) -> Script:
    keys, n = tuple(program.keys), program.workers
    found: dict[str, Script] = {
        "open": OpenGates(exit_gates=exit_gates),
        "shut": ShutGates(exit_gates=exit_gates),
        "keep": KeptGates(exit_gates=exit_gates),
        "hold": HeldTask(keys=keys, seconds=1.0, exit_gates=exit_gates),
        "line": Rendezvous(n=n, keys=keys, seed=3, exit_gates=exit_gates),
        "loop": HeldTasks(n=n, exit_gates=exit_gates),
        "points": HeldPoints(exit_gates=exit_gates),
        "start": TimedStart(n=n, delay=0.1, exit_gates=exit_gates),
    }
    return found[name]


@pytest.fixture
def in_model_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[Tree], Watch]:
    """Return what has a tree watched by the real `Watch`, in the tree's own time."""

    def make(tree: Tree) -> Watch:
        clock = SimpleNamespace(
            monotonic=lambda: tree.now, sleep=lambda _: pytest.fail("nothing sleeps here")
        )
        for module in (watch, gate_scripts, held_points, loop_script, reading):
            monkeypatch.setattr(module, "time", clock)
        monkeypatch.setattr(gate_scripts.procfs, "cpu", lambda _: 0.0)  # type: ignore[attr-defined]  # - what the module imports
        monkeypatch.setattr(watch.procfs, "cpu", lambda _: 0.0)  # type: ignore[attr-defined]  # - what the module imports
        seen = Watch(tree, tree, CALLER)
        seen.clock = Clock(tree.pending, lambda: 0, lambda: tree.now)
        seen.ready, seen.keys = True, frozenset(tree.program.keys)
        seen.begin(SECONDS)
        return seen

    return make


class Orders:
    """Every order in which a program can go on, one after the other: depth first, by replaying the
    choices so far.

    Stateless search as in VeriSoft (Godefroid, POPL 1997), without reduction.
    """

    def __init__(self) -> None:
        self._chosen: list[tuple[int, int]] = []  # which of how many, at each choice
        self._at = 0

    def choice(self, able: Sequence[Process]) -> Process:
        """Choose as this order does; beyond what is known, the first."""
        if self._at == len(self._chosen):
            self._chosen.append((0, len(able)))
        which, of = self._chosen[self._at]
        assert of == len(able), "the same choices have led elsewhere"
        self._at += 1
        return able[which]

    def next(self) -> bool:
        """Go on to the next order; False where this was the last."""
        self._at = 0
        while self._chosen:
            which, of = self._chosen.pop()
            if which + 1 < of:
                self._chosen.append((which + 1, of))
                return True
        return False


def small_programs(workers: int, keys: int) -> Iterator[Program]:
    """Yield all programs of this size of which at most one worker dies, at any of its steps or
    gates.
    """
    nobody = (-1, 0)
    deaths = [(nobody, nobody)]
    deaths += [((worker, step), nobody) for worker in range(workers) for step in range(keys + 2)]
    deaths += [(nobody, (worker, gate)) for worker in range(workers) for gate in range(1, keys + 1)]
    waits = ("results", "exits", "nothing", "for ever", "dies")
    for waits_for, dynamic, leaves, (dies, killed) in product(
        waits, (True, False), (True, False), deaths
    ):
        yield Program(
            keys=KEYS[:keys],
            workers=workers,
            waits_for=waits_for,
            dynamic=dynamic,
            dies=dies,
            killed=killed,
            leaves=leaves,
        )


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_order_of_small_programs_ends_well(
    in_model_time: Callable[[Tree], Watch], script: str
) -> None:
    """All programs of one or two workers and of one or two tasks, in every order; of the largest
    every eleventh, in turn with and without gates at the exits. `make fuzz` has all.
    """
    played = 0
    for workers, keys in product((1, 2), (1, 2)):
        plans = list(product(small_programs(workers, keys), (True, False)))
        if workers == keys == 2:
            step = 1 if "MPGRADE_FUZZ_EXAMPLES" in os.environ else 11
            plans = plans[::step]  # odd: with and without gates at the exits in turn
        for program, exit_gates in plans:
            orders, more = Orders(), True
            while more:
                ends_well(in_model_time, program, script, orders, exit_gates=exit_gates)
                played += 1
                more = orders.next()
    assert played > 1_500  # up to 40,000, by how much a script holds back


@pytest.mark.parametrize("script", SCRIPTS)
def test_drawn_orders_end_well(in_model_time: Callable[[Tree], Watch], script: str) -> None:
    """Larger programs, of which several workers may die, in orders that are drawn."""

    @settings(max_examples=150, deadline=None)
    @given(programs(), st.integers(0, 2**32), st.booleans())
    def holds(program: Program, seed: int, exit_gates: bool) -> None:
        ends_well(in_model_time, program, script, random.Random(seed), exit_gates=exit_gates)

    holds()


def ends_well(
    in_model_time: Callable[[Tree], Watch],
    program: Program,
    script: str,
    draw: Orders | random.Random,
    *,
    exit_gates: bool,
) -> None:
    """Whoever goes first, and whoever dies where: the script ends, and holds nobody for ever."""
    tree = Tree(program, draw)
    seen = in_model_time(tree)
    began = tree.now
    how, report = gate_scripts.play(
        seen, _script(script, program, exit_gates), PATIENCE, Stacks(file="", own=())
    )
    assert report.script == script
    assert tree.now - began < 3 * SECONDS  # every run ends, and in time
    assert (how == "back") == seen.back == (not tree.caller.todo and tree.caller.alive)
    assert (how == "dead") == (not tree.caller.alive)
    assert how in ("back", "dead", "quiet", "late")
    assert not seen.fault
    # Nothing is told of who had ended before, and everything of who came to a gate.
    told = [(event.pid, event.key) for event in seen.gates.events if event.kind == "gate"]
    assert tree.after_death == []
    assert sorted(told) == sorted((each.pid, key) for each in tree.crew for key in each.told)
    alive = {each.pid for each in tree.crew if each.alive}
    assert seen.gates.insiders() <= alive
    assert set(seen.gates.leaving.values()) <= alive
    lost = {event.pid for event in seen.gates.events if event.kind == "lost"}
    assert not lost & alive
    if how != "dead":
        nobody_is_held(tree, seen)


def nobody_is_held(tree: Tree, seen: Watch) -> None:
    """No gate stays shut: whoever can go on does so, and nobody alive stands at one afterwards."""
    seen.gates.open_all()
    seen.gates.hold_exits = False
    seen.gates.open_exits()
    for _ in range(100):
        seen.pump(0.01)
    assert [each.at for each in tree.crew if each.alive and each.at] == []
    assert not seen.gates.inside
