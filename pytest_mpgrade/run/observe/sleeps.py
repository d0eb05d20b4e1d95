"""How long processes slept, from the samples of threads that are taken for quiescence anyway."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pytest_mpgrade.records import Asleep
from pytest_mpgrade.system.linux.procfs import Thread

MOST = 400
"""Ended sleeps that are kept of one call. There is one for each message that takes long."""


@dataclass(kw_only=True)
class _Sleep:
    """A sleep that had not ended at the last look."""

    switches: int  # of the thread: it has not woken while the number stays
    since: float
    until: float


class Sleeps:
    """The sleeps of the first thread of each process.

    A thread that woke between two looks has ended one sleep and begun another. A sleep that only
    one look has seen is not counted, so that one who polls never sleeps.
    """

    def __init__(self) -> None:
        self._now: dict[int, _Sleep] = {}
        self._ended: list[tuple[int, _Sleep]] = []

    def begin(self) -> None:
        """Begin a new call: forget the sleeps so far."""
        self._now, self._ended = {}, []

    def look(self, now: float, threads: Iterable[Thread]) -> None:
        """Take in one sample of all threads, taken at *now* (`time.monotonic`)."""
        for thread in threads:
            if thread.tid != thread.pid:
                continue
            known = self._now.get(thread.pid)
            if thread.state != "S":
                self._end(thread.pid)
            elif known is not None and known.switches == thread.switches:
                known.until = now
            else:
                self._end(thread.pid)
                self._now[thread.pid] = _Sleep(switches=thread.switches, since=now, until=now)

    def _end(self, pid: int) -> None:
        known = self._now.pop(pid, None)
        if known is not None and known.until > known.since and len(self._ended) < MOST:
            self._ended.append((pid, known))

    def seen(self, began: float) -> tuple[Asleep, ...]:
        """Return all sleeps that two looks have seen, in seconds since the call *began*."""
        return tuple(
            Asleep(pid=pid, since=round(each.since - began, 4), until=round(each.until - began, 4))
            for pid, each in (*self._ended, *self._now.items())
            if each.until > each.since
        )
