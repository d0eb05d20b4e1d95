"""When a tree is quiet, on looks written down by hand: times and threads are given, nothing runs
and nothing waits.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from pytest_mpgrade.run.observe.quiescence import (
    BLIND_SECONDS,
    PERIOD,
    PROOF_LOOKS,
    STEADY_SECONDS,
    STILL_SECONDS,
    Quiet,
)
from pytest_mpgrade.system.linux.procfs import Thread

CALLER, WORKER, OTHER = 10, 20, 30
MS = 1_000_000
"""Nanoseconds in a millisecond."""

Scene = Callable[[int], Sequence[Thread]]
"""What is seen at look number 0, 1, …; looks are PERIOD apart."""


def thread(pid: int = WORKER, tid: int = 0, **seen: Any) -> Thread:
    """Return a thread that sleeps in a wait without time-out."""
    base = Thread(
        pid=pid,
        tid=tid or pid,
        state="S",
        switches=7,
        ran=0,
        queued=0,
        timed=False,
        syscall="futex",
    )
    return replace(base, **seen)


ASLEEP = (thread(CALLER), thread(WORKER))


def quiet(*, sees_waits: bool = True, stopped: Sequence[int] = ()) -> Quiet:
    """Return a new watch."""
    return Quiet(caller=CALLER, sees_waits=sees_waits, stopped=lambda pid: pid in stopped)


def until_quiet(
    scene: Scene, watch: Quiet | None = None, window: float = STEADY_SECONDS, looks: int = 100
) -> tuple[str, int]:
    """Look again and again; return the rule that held first and at which look, or ("", the number
    of looks).
    """
    watch = watch or quiet()
    for number in range(looks):
        rule = watch.look(1000.0 + number * PERIOD, scene(number), window)
        if rule:
            return rule, number
    return "", looks


def seconds(number: int) -> float:
    """Return when a look is taken, from the first on."""
    return round(number * PERIOD, 6)


def napping(number: int, every: int, pid: int = WORKER) -> Thread:
    """Return a thread that waits with a time-out and wakes at every so many looks, using next to
    nothing.
    """
    wakes = number // every
    return thread(pid, timed=True, switches=7 + wakes, ran=wakes * MS // 10)


# --- proof


@pytest.mark.parametrize(
    "threads",
    [
        pytest.param(ASLEEP, id="parent and worker"),
        pytest.param((thread(CALLER),), id="caller alone"),
        pytest.param((*ASLEEP, thread(WORKER, 21), thread(CALLER, 11)), id="several threads"),
        pytest.param((*ASLEEP, thread(OTHER, state="Z", timed=True)), id="a zombie"),
    ],
)
def test_proof(threads: Sequence[Thread]) -> None:
    """All wait without time-out and none has woken over three looks: proven, at the earliest after
    these.
    """
    assert until_quiet(lambda number: threads) == ("proof", PROOF_LOOKS)


def test_proof_needs_no_window() -> None:
    """A proof holds however long a tree that only naps would be given."""
    assert until_quiet(lambda number: ASLEEP, window=3600.0) == ("proof", PROOF_LOOKS)


def test_voluntary_switch_breaks_the_proof() -> None:
    """A thread that has woken and gone to sleep again starts the count anew."""

    def scene(number: int) -> Sequence[Thread]:
        return thread(CALLER), thread(WORKER, switches=7 + (number >= 3))

    assert until_quiet(scene) == ("proof", 3 + PROOF_LOOKS)


def test_thread_that_wakes_again_and_again_is_not_proven_asleep() -> None:
    """While a thread wakes between any three looks there is no proof; if it uses nothing, the tree
    is steady.
    """

    def scene(number: int) -> Sequence[Thread]:
        return thread(CALLER), thread(WORKER, switches=7 + number // 3)

    assert until_quiet(scene) == ("steady", 10)


@pytest.mark.parametrize(
    "timed", [thread(WORKER, timed=True), thread(CALLER, timed=True)], ids=["worker", "caller"]
)
def test_wait_with_time_out_is_no_proof(timed: Thread) -> None:
    """One thread whose wait ends by itself is enough: as long as it does not wake, nothing is
    known.
    """
    rest = [one for one in ASLEEP if one.tid != timed.tid]
    assert until_quiet(lambda number: (*rest, timed)) == ("", 100)


def test_process_that_has_just_ended_has_moved() -> None:
    """Between two looks a thread has ended: what it did last, and who hears of that, is not known
    yet.
    """

    def scene(number: int) -> Sequence[Thread]:
        return thread(CALLER), thread(WORKER, state="S" if number < 3 else "Z")

    assert until_quiet(scene) == ("proof", 3 + PROOF_LOOKS)


# --- steady


def test_timed_waiters_must_wake_twice() -> None:
    """A parent that polls every 1.5 s is steady only when it has come round twice, not after a
    second of silence.
    """
    rule, number = until_quiet(lambda number: (thread(CALLER), napping(number, every=15)))
    assert (rule, seconds(number)) == ("steady", 3.0)


def test_every_timed_waiter_must_wake_twice() -> None:
    """One that has come round often does not stand for another that has not."""

    def scene(number: int) -> Sequence[Thread]:
        return (
            napping(number, every=1, pid=CALLER),
            napping(number, every=2),
            napping(number, every=20, pid=OTHER),
        )

    rule, number = until_quiet(scene)
    assert (rule, seconds(number)) == ("steady", 4.0)


@pytest.mark.parametrize("bustle", [0.05, 0.3, 0.8])
@pytest.mark.parametrize("gap", [PERIOD, 0.17, 0.5, 1.1], ids="looks {} s apart".format)
def test_nap_after_bustle_is_waited_for(gap: float, bustle: float) -> None:
    """Who woke often before, as in starting up, and now naps for longer than ever has not come
    round, but is away.
    """
    watch = quiet()
    for number in range(40):
        wakes = int(min(number * gap, bustle) * 100)
        look = (thread(CALLER, timed=True, switches=7 + wakes, ran=wakes * MS // 10),)
        assert watch.look(1000.0 + number * gap, look) == "", number


@pytest.mark.parametrize("gap", [PERIOD, 0.3, 1.0], ids="looks up to {} s apart".format)
@pytest.mark.parametrize("period", [0.01, 0.1, 0.2, 0.5, 1.0, 3.0])
def test_poll_is_seen_through_irregular_looks(period: float, gap: float) -> None:
    """Who looks for something again and again is found out on a busy machine too, whose looks come
    when they can.
    """
    draw = random.Random(f"{period} {gap}")
    watch, now = quiet(), 0.0
    while not watch.look(
        now, (thread(CALLER, timed=True, switches=7 + int(now / period)), thread(WORKER))
    ):
        now += draw.uniform(PERIOD, gap)
        assert now < 5.0 + 3 * period


def test_naps_that_grow() -> None:
    """A back-off that doubles each time is steady once a nap has not yet taken as long as the one
    before.
    """
    wakes = [2**count - 1 for count in range(1, 8)]

    def scene(number: int) -> Sequence[Thread]:
        return (
            thread(CALLER),
            thread(WORKER, timed=True, switches=sum(wake <= number for wake in wakes)),
        )

    rule, number = until_quiet(scene)
    assert (rule, STEADY_SECONDS <= seconds(number) < 2.0) == ("steady", True), number


@pytest.mark.parametrize("window", [STEADY_SECONDS, 4.0, 7.5])
def test_window(window: float) -> None:
    """A tree that naps is steady when the window is over, and no sooner."""
    rule, number = until_quiet(
        lambda number: (napping(number, 1, CALLER), napping(number, 2)), window=window
    )
    assert (rule, seconds(number)) == ("steady", window)


@pytest.mark.parametrize(
    "busy",
    [
        pytest.param(
            lambda n: thread(WORKER, state="R", timed=True, ran=n * 100 * MS),
            id="runs all the time",
        ),
        pytest.param(
            lambda n: thread(WORKER, timed=True, switches=n, ran=n * 10 * MS),
            id="runs a tenth of the time",
        ),
        pytest.param(
            lambda n: thread(WORKER, state="R", timed=True, queued=n * 100 * MS),
            id="wants a core, has none",
        ),
        pytest.param(
            lambda n: thread(WORKER, switches=n, queued=n * 10 * MS),
            id="waits for a core now and then",
        ),
        pytest.param(
            lambda n: thread(WORKER, 21, timed=True, switches=n, ran=n * 9 * MS),
            id="in a second thread",
        ),
    ],
)
def test_busy_tree_is_never_quiet(busy: Callable[[int], Thread]) -> None:
    """While a process other than the caller computes, or wants to, nothing is quiet."""
    assert until_quiet(lambda number: (*ASLEEP[:1], busy(number))) == ("", 100)


def test_work_in_between_starts_the_window_anew() -> None:
    """A worker that computes for a while at 0.8 s is given a whole window from then on."""

    def scene(number: int) -> Sequence[Thread]:
        return thread(CALLER), thread(
            WORKER, timed=True, switches=number, ran=200 * MS * (number >= 8)
        )

    rule, number = until_quiet(scene)
    assert (rule, seconds(number)) == ("steady", 0.8 + STEADY_SECONDS)


@pytest.mark.parametrize("state", ["R", "D", "t"])
def test_runnable_or_uninterruptible_process_is_not_quiet(state: str) -> None:
    """A worker that stands in a disk's wait, runs, or is held by a tracer is neither proven asleep
    nor steady.
    """
    assert until_quiet(lambda number: (thread(CALLER), thread(WORKER, state=state))) == ("", 100)


@pytest.mark.parametrize("state", ["D", "t"])
def test_caller_that_will_go_on_is_not_quiet(state: str) -> None:
    """A caller that has come round often, and now stands in a disk's wait or is held by a tracer,
    will go on.
    """

    def scene(number: int) -> Sequence[Thread]:
        caller = (
            napping(number, 1, CALLER)
            if number < 8
            else thread(CALLER, state=state, timed=True, switches=15)
        )
        return caller, thread(WORKER)

    assert until_quiet(scene) == ("", 100)


def test_stopped_process_counts_as_asleep() -> None:
    """A process that a signal has stopped goes on only when somebody outside continues it."""
    stopped = thread(WORKER, state="T", timed=True)
    assert until_quiet(lambda number: (thread(CALLER), stopped), quiet(stopped=[WORKER])) == (
        "proof",
        PROOF_LOOKS,
    )


@pytest.mark.parametrize("state", ["R", "D"])
@pytest.mark.parametrize("pid", [CALLER, WORKER])
def test_process_that_was_stopped_and_goes_on(pid: int, state: str) -> None:
    """One that has just been continued runs, whatever is still believed of it."""
    rest = [one for one in ASLEEP if one.pid != pid]
    assert (
        until_quiet(lambda number: (*rest, thread(pid, state=state)), quiet(stopped=[pid]))[0] == ""
    )


def test_stopped_process_that_is_traced_counts_as_asleep() -> None:
    """Who traces it sees a process that a signal has stopped in the state of those that it holds
    itself.
    """
    stopped = thread(WORKER, state="t", timed=True)
    assert until_quiet(lambda number: (thread(CALLER), stopped), quiet(stopped=[WORKER])) == (
        "proof",
        PROOF_LOOKS,
    )


def test_process_that_is_being_stopped_is_not_yet_asleep() -> None:
    """State T alone proves nothing: a tracer's stop passes."""
    rule, _ = until_quiet(lambda number: (thread(CALLER), thread(WORKER, state="T", timed=True)))
    assert rule == ""


# --- the caller spins


def spinning(number: int, share: float = 1.0) -> Thread:
    """Return the caller, busy for a share of the time."""
    return thread(
        CALLER, state="R", timed=True, ran=int(number * PERIOD * share * 1e9), syscall="running"
    )


def quiet_with_a_task_held() -> Quiet:
    """Return a watch whose caller has nothing to come back for before a gate is opened."""
    watch = quiet()
    watch.held = True
    return watch


def test_caller_that_spins() -> None:
    """A caller that has burned 2 s of a core, while a task is held and all others are steady, waits
    for that task.
    """
    rule, number = until_quiet(
        lambda number: (spinning(number), thread(WORKER)), quiet_with_a_task_held()
    )
    assert (rule, seconds(number)) == ("the caller spins", 2.0)


@pytest.mark.parametrize("may_compute", [10.0, 4.0])
def test_caller_that_may_compute(may_compute: float) -> None:
    """Where no task is held, a caller may do something by itself that takes as long as that."""
    watch = quiet()
    watch.may_compute = may_compute
    rule, number = until_quiet(lambda number: (spinning(number), thread(WORKER)), watch, looks=150)
    assert (rule, seconds(number)) == ("the caller spins", may_compute)


def test_threads_that_take_turns_are_added_up() -> None:
    """Threads that share the interpreter's lock burn together what one would burn alone."""

    def scene(number: int) -> Sequence[Thread]:
        crew = [replace(spinning(number, share=1 / 10), tid=CALLER + at) for at in range(10)]
        return (*crew, thread(WORKER))

    rule, number = until_quiet(scene, quiet_with_a_task_held())
    assert (rule, round(seconds(number), 6)) == ("the caller spins", 2.0)


def test_threads_of_a_caller_are_not_added_up() -> None:
    """A caller that computes with many threads, on a machine of as many cores, has burned no more
    than each of them.
    """

    def scene(number: int) -> Sequence[Thread]:
        crew = [replace(spinning(number), tid=CALLER + place) for place in range(16)]
        return (*crew, thread(WORKER))

    rule, number = until_quiet(scene, quiet_with_a_task_held())
    assert (rule, seconds(number)) == ("the caller spins", 2.0)


def test_caller_on_a_crowded_core_is_given_longer() -> None:
    """What counts are seconds on a core, not seconds of waiting for one."""

    def scene(number: int) -> Sequence[Thread]:
        caller = spinning(number, share=0.25)
        return replace(caller, queued=3 * caller.ran), thread(WORKER)

    rule, number = until_quiet(scene, quiet_with_a_task_held())
    assert (rule, seconds(number)) == ("the caller spins", 8.0)


def test_caller_that_gets_no_core() -> None:
    """The kernel counts the time in its queue when it is over: one that has come round often may be
    starving in it.
    """

    def scene(number: int) -> Sequence[Thread]:
        caller = (
            napping(number, 1, CALLER)
            if number < 8
            else thread(CALLER, state="R", timed=True, switches=15)
        )
        return caller, thread(WORKER)

    assert until_quiet(scene) == ("", 100)


def test_caller_that_spins_while_a_worker_computes() -> None:
    """A caller that polls without sleeping may be waiting for a worker that computes."""
    assert until_quiet(
        lambda number: (
            spinning(number),
            thread(WORKER, state="R", timed=True, ran=number * 50 * MS),
        )
    ) == ("", 100)


# --- what starts the watch anew


def test_thread_that_starts_or_ends_resets() -> None:
    """Each thread that comes or goes starts the watch anew, whatever the others do."""

    def scene(number: int) -> Sequence[Thread]:
        return (*ASLEEP, thread(WORKER, 21)) if 2 <= number < 4 else ASLEEP

    assert until_quiet(scene) == ("proof", 4 + PROOF_LOOKS)


def test_thread_replaced_by_another_resets() -> None:
    """The number of threads alone says nothing."""
    assert until_quiet(lambda number: (thread(CALLER), thread(WORKER, 21 + number))) == ("", 100)


def test_process_that_follows_another_is_never_quiet() -> None:
    """A process per task, each asleep while it is there: the tree moves."""
    assert until_quiet(lambda number: (thread(CALLER), thread(1000 + number // 2))) == ("", 100)


def test_message_resets() -> None:
    """What is told to the watch starts it anew."""
    watch = quiet()
    for number in range(20):
        assert watch.look(number * PERIOD, ASLEEP) == ""
        if number % PROOF_LOOKS == 2:
            watch.disturb()
    assert watch.look(20 * PERIOD, ASLEEP) == ""
    assert watch.look(21 * PERIOD, ASLEEP) == "proof"


SCENES: dict[str, Callable[[int], Sequence[Thread]]] = {
    "proof": lambda number: ASLEEP,
    "steady": lambda number: (napping(number, 1, CALLER), thread(WORKER)),
    "the caller spins": lambda number: (spinning(number), thread(WORKER)),
    "the caller polls": lambda number: (
        thread(CALLER, timed=True, switches=9 * number, ran=number * 9 * MS),
    ),
}
"""What each rule calls quiet, while a task is held."""


@pytest.mark.parametrize("sees_waits", [True, False], ids=["waits are seen", "blind"])
@pytest.mark.parametrize("rule", SCENES)
def test_nothing_is_quiet_while_something_waits_for_us(rule: str, sees_waits: bool) -> None:
    """An end or a start that we have not taken in keeps every rule from holding, and starts its
    time anew.
    """
    watch = quiet(sees_waits=sees_waits)
    watch.held = True
    for number in range(60):
        assert watch.look(1000.0 + number * PERIOD, SCENES[rule](number), pending=True) == ""
    found, later = until_quiet(lambda number: SCENES[rule](60 + number), watch)
    fresh = quiet(sees_waits=sees_waits)
    fresh.held = True
    assert (found, later) == until_quiet(lambda number: SCENES[rule](60 + number), fresh)
    assert found == (rule if sees_waits or "caller" in rule else "steady")


def test_one_look_at_which_something_waits_for_us_is_enough() -> None:
    """Three looks prove something only together: at each of them nothing waited for us."""
    watch = quiet()
    for number in range(30):
        pending = number % PROOF_LOOKS == 0
        assert watch.look(1000.0 + number * PERIOD, ASLEEP, pending=pending) == ""


def test_tree_that_has_ended_is_quiet() -> None:
    """With no thread left nothing can happen."""
    assert until_quiet(lambda number: ()) == ("proof", PROOF_LOOKS)


# --- where waits cannot be read


@pytest.mark.parametrize("window", [STEADY_SECONDS, BLIND_SECONDS, 6.0])
def test_blind_mode(window: float) -> None:
    """Without knowing what threads wait for nothing is proven: the window is longer than the
    time-outs of a poll.
    """
    blind = tuple(replace(one, timed=True, syscall="") for one in ASLEEP)
    rule, number = until_quiet(lambda number: blind, quiet(sees_waits=False), window)
    assert (rule, seconds(number)) == ("steady", max(window, BLIND_SECONDS))


def test_blind_mode_where_nobody_has_moved() -> None:
    """However long a tree that naps is waited for: one in which nothing at all happens for 8 s
    hangs.
    """
    blind = tuple(replace(one, timed=True, syscall="") for one in ASLEEP)
    rule, number = until_quiet(lambda number: blind, quiet(sees_waits=False), 16.0, 200)
    assert (rule, seconds(number)) == ("still", STILL_SECONDS)
    naps = (thread(CALLER, timed=True, syscall=""),)
    found = until_quiet(
        lambda number: (*naps, napping(number, 75)), quiet(sees_waits=False), 16.0, 150
    )
    assert found == ("", 150)  # wakes every 7.5 s
    # where waits are seen it is not needed
    assert until_quiet(lambda number: blind, quiet(), 16.0, 150) == ("", 150)


def test_blind_mode_sees_a_busy_tree() -> None:
    """Work is seen all the same."""
    busy = until_quiet(
        lambda number: (thread(CALLER), thread(WORKER, timed=True, ran=number * 20 * MS)),
        quiet(sees_waits=False),
    )
    assert busy == ("", 100)
