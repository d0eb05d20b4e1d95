"""What each process of a tree that hangs waits for, from its Python stack and from the kernel."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from pytest_mpgrade.records import AWAITS, Awaited, Doing, Frame
from pytest_mpgrade.run.explain import holders
from pytest_mpgrade.run.explain.doing import doing_of, own_frame
from pytest_mpgrade.run.explain.holders import ThreadWait, Wait
from pytest_mpgrade.run.explain.stacks import Stacks
from pytest_mpgrade.run.observe import loops
from pytest_mpgrade.run.observe.sentinels import Tree, sources
from pytest_mpgrade.run.observe.watch import Watch
from pytest_mpgrade.system.linux import blocked, procfs, syscalls
from pytest_mpgrade.system.linux.blocked import Blocked
from pytest_mpgrade.system.linux.current_call import current_call

MOST_PROCESSES = 20
"""Processes that are asked for their stacks. Of a larger tree the others do the same; each costs
some ms, and students read a few lines.
"""

MOST_THREADS = 3
"""Threads of one process that are told of, besides the one whose wait decides."""
_WITHIN = frozenset(
    (Doing.THREAD, Doing.LOCK, Doing.EVENT, Doing.CONDITION, Doing.BARRIER, Doing.GET)
)
"""Waits of a main thread that another thread of the same process may have to end."""
_POLLS = frozenset(
    (
        *(Doing.WAIT, Doing.SLEEP, Doing.BUSY, Doing.JOIN, Doing.GET, Doing.RECEIVE, Doing.OTHER),
        *(Doing.EVENT, Doing.CONDITION, Doing.POOL_RESULT),
    )
)
"""What a thread in a polling loop may be seen to do."""
_SHOWS_LITTLE = frozenset((Doing.SLEEP, Doing.BUSY, Doing.OTHER))


def waits(watch: Watch, stacks: Stacks) -> list[Wait]:
    """Return what the calling process and the workers wait for, the caller first."""
    pids = [watch.caller] if not watch.dead else []
    # Without ptrace the observer does not learn of an end at once. A zombie waits for nothing.
    alive = [pid for pid in sorted(watch.workers_alive()) if watch.observer.state(pid) == "alive"]
    pids = [*pids, *alive][:MOST_PROCESSES]
    # Before any stack is asked for, because the signal for it wakes the process.
    looks = {pid: _look(watch, pid) for pid in pids}
    tree = Tree(helpers={pid: watch.observer.seen[pid].helper for pid in watch.live()})
    all_waits = [_Process(watch, stacks, tree, pid, looks[pid]).wait() for pid in pids]
    processes = watch.observer.seen.values()
    died = [
        each.pid
        for each in processes
        if each.ended and each.exitcode and not each.helper and not each.sandbox
    ]
    return holders.with_holders(all_waits, watch.caller, died, stacks)


def _look(watch: Watch, pid: int) -> Blocked:
    if watch.observer.sees_waits:
        return blocked.look_at_main_thread(pid)
    return Blocked(asleep=any(thread.state == "S" for thread in watch.observer.threads([pid])))


class _Process:
    """One process of the tree, as it was when the tree was called quiescent or late."""

    def __init__(self, watch: Watch, stacks: Stacks, tree: Tree, pid: int, look: Blocked) -> None:
        self._watch, self._stacks, self._tree, self._pid, self._blocked = (
            watch,
            stacks,
            tree,
            pid,
            look,
        )
        self._threads = stacks.of(pid)
        self._main: Sequence[Frame] = self._threads[-1] if self._threads else []

    def wait(self) -> Wait:
        doing = Doing.STOPPED if self._watch.observer.stopped(self._pid) else self._doing()
        here = Wait(pid=self._pid, doing=doing, blocked=self._blocked, frames=tuple(self._main))
        here = self._of_another_thread(here)
        here = dataclasses.replace(
            here,
            awaits=AWAITS.get(here.doing, ()),
            holder=self._holder(here),
            others=tuple(self._others(here))[:MOST_THREADS],
        )
        return self._polled(self._ended(here))

    def _doing(self) -> Doing:
        doing = doing_of(self._main, self._stacks, self._blocked)
        if doing is Doing.RECEIVE and self._at_terminal():
            return Doing.INPUT
        return doing

    def _at_terminal(self) -> bool:
        """Tell whether the student's own line reads a file that is a terminal."""
        names = [self._tree.open(self._pid).get(number, "") for number in self._blocked.files or ()]
        return self._stacks.owns(self._main[0]) and any(
            name.startswith(("/dev/pts/", "/dev/tty")) for name in names
        )

    def _of_another_thread(self, here: Wait) -> Wait:
        """Return what another thread waits for, if the main thread waits for that thread."""
        if here.doing in (Doing.THREAD, Doing.OTHER) and any(map(_feeds, self._threads[:-1])):
            return dataclasses.replace(here, doing=Doing.WRITE)
        if (
            here.doing not in _WITHIN
            or self._blocked.call not in ("", "futex")
            or self._blocked.shared
        ):
            return here
        theirs = Blocked(asleep=self._another_sleeps())
        for frames in self._threads[:-1]:
            doing = doing_of(frames, self._stacks, theirs)
            inside = doing in _WITHIN - {Doing.LOCK} and here.doing is not Doing.THREAD
            if own_frame(frames, self._stacks) and not inside and doing not in _SHOWS_LITTLE:
                return dataclasses.replace(
                    here, doing=doing, frames=tuple(frames), blocked=Blocked()
                )
        return here

    def _others(self, here: Wait) -> Iterator[ThreadWait]:
        """Yield what threads do besides the one whose wait decides."""
        asleep = Blocked(asleep=True)
        for frames in self._threads:
            main = frames is self._main
            feeds = not main and _feeds(frames)
            if tuple(frames) == here.frames or not (feeds or own_frame(frames, self._stacks)):
                continue
            doing = self._doing() if main else doing_of(frames, self._stacks, asleep)
            yield ThreadWait(main=main, doing=Doing.WRITE if feeds else doing, frames=tuple(frames))

    def _another_sleeps(self) -> bool:
        """Tell whether a thread other than the main one waits at a lock, without a time-out."""
        with blocked.readable(self._pid):
            others = [tid for tid in procfs.tasks(self._pid) if tid != self._pid]
            return any(
                syscalls.timed(current_call(self._pid, tid)) == (False, "futex") for tid in others
            )

    def _holder(self, here: Wait) -> int:
        """Return the process itself if it holds the lock that it waits for, else 0.

        A plain lock of a process with one thread, which waits for it, is held by that thread. There
        are exceptions: in a forked process the lock may have been held at the fork, and a semaphore
        may begin at 0.
        """
        processes = self._watch.observer.seen
        parent = processes.get(processes[self._pid].parent)
        alone = (
            self._blocked.call == "futex" and not self._blocked.shared and len(self._threads) == 1
        )
        forked = self._pid != self._watch.caller and processes[self._pid].born(parent) != "spawn"
        mine = (
            here.doing is Doing.LOCK and alone and not forked and self._stacks.owns(self._main[0])
        )
        return self._pid if mine else 0

    def _ended(self, here: Wait) -> Wait:
        """Return the wait with the processes whose end it waits for.

        It also says whether something other than an end would do.
        """
        if here.doing not in (Doing.JOIN, Doing.WAIT):
            return here
        if here.blocked.child:
            return dataclasses.replace(here, whom=(self._outside(here.blocked.child),))
        if here.blocked.files is not None:
            waits_at = sources(self._pid, here.blocked.files, self._tree)
            exits, messages, whom = waits_at.exits, waits_at.messages, waits_at.pids
        elif here.doing is Doing.WAIT and (own := own_frame(here.frames, self._stacks)) is not None:
            (exits, messages), whom = loops.sentinels_at(own), ()
        else:
            return here
        if here.doing is Doing.JOIN:
            return dataclasses.replace(here, whom=whom)
        awaits = (Awaited.EXIT,) * exits + (Awaited.MESSAGE,) * messages
        return dataclasses.replace(
            here, doing=Doing.WAIT if messages else Doing.JOIN, awaits=awaits, whom=whom
        )

    def _outside(self, pid: int) -> int:
        """Return our pid of a process that its parent may know by another pid."""
        processes = self._watch.observer.seen
        inside = [each.pid for each in processes.values() if each.inside == pid and not each.ended]
        return inside[0] if inside else pid

    def _polled(self, here: Wait) -> Wait:
        """Return what would end the loop that a wait belongs to.

        A wait that ends by itself is one round of such a loop.
        """
        known = here.blocked.timed if here.blocked.call else here.doing in _SHOWS_LITTLE
        if here.doing not in _POLLS or not known:
            return here
        asked = loops.awaited_by_loop([frame for frame in here.frames if self._stacks.owns(frame)])
        if not asked:
            return here
        doing = Doing.JOIN if asked == {Awaited.EXIT} else here.doing
        return dataclasses.replace(
            here, doing=doing, awaits=tuple(each for each in Awaited if each in asked)
        )


def _feeds(frames: Sequence[Frame]) -> bool:
    """Tell whether a thread is the feeder of a queue, and cannot finish writing to the pipe."""
    names = {frame.function.rpartition(".")[2] for frame in frames}
    return "_feed" in names and "_send" in names
