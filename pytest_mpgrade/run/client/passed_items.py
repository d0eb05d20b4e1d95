"""What the processes of a run have noted of the items that they passed to each other."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_mpgrade.records import PassedItem
from pytest_mpgrade.run.client.answers import written_text
from pytest_mpgrade.run.protocol import Account

FILE = "passed"
"""The name of the file in which they note it, in the folder of the answers."""
_MOST_BYTES = 1_000_000
"""Bytes of notes that are read: of more than 200 processes."""


@dataclass(frozen=True, kw_only=True)
class Note:
    """One line that a process has written."""

    what: str  # "put", "got", or "caller": that process makes the call
    pid: int  # as the process sees itself
    at: float  # by the monotonic clock, which all processes of a machine share
    item: str  # its length and checksum


def notes_in(box: str) -> tuple[Note, ...]:
    """Return what the processes of a run have noted, in the order of time.

    What cannot be read is left out.
    """
    found = []
    for line in written_text(box, FILE, _MOST_BYTES).splitlines():
        words = line.split(" ")
        if len(words) != 4:
            continue
        try:
            pid, at = int(words[1]), float(words[2])
        except ValueError:
            continue
        found.append(Note(what=words[0], pid=pid, at=at, item=words[3]))
    return tuple(sorted(found, key=lambda note: note.at))


def passed_items(notes: Sequence[Note], account: Account) -> tuple[PassedItem, ...]:
    """Return the items that were put and got during a call, in the order in which they were got.

    *notes* are in the order of time. Items with the same bytes are taken for passed in the order in
    which they were put.
    """
    pids = {each.inside or each.pid: each.pid for each in account.processes}
    pids |= {note.pid: account.caller for note in notes if note.what == "caller"}
    on_the_way: dict[str, deque[Note]] = {}
    passed = []
    for note in notes:
        if not 0 <= note.at - account.began <= account.looked or note.pid not in pids:
            continue
        if note.what == "put":
            on_the_way.setdefault(note.item, deque()).append(note)
        elif note.what == "got" and on_the_way.get(note.item):
            put = on_the_way[note.item].popleft()
            passed.append(
                PassedItem(
                    source=pids[put.pid],
                    put=round(put.at - account.began, 4),
                    target=pids[note.pid],
                    got=round(note.at - account.began, 4),
                )
            )
    return tuple(passed)
