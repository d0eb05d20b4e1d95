"""Where the processes of a run are at this moment, for a user who has interrupted it.

Nothing is known of what they wait for: the tree need not be quiescent, and nobody has the time to
wait until it is.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence

from pytest_mpgrade.records import Frame, Role, Whereabouts
from pytest_mpgrade.run.explain.doing import own_frame, role_of, source_of
from pytest_mpgrade.run.explain.stacks import Stacks
from pytest_mpgrade.run.observe.watch import Watch

SECONDS = 0.4
"""Seconds for all stacks of a run together: who presses Ctrl-C waits for them. One takes 0.02 s."""


def whereabouts(watch: Watch, stacks: Stacks) -> tuple[Whereabouts, ...]:
    """Return where the calling process and the workers are, the caller first."""
    end = time.monotonic() + SECONDS
    pids = [] if watch.dead else [watch.caller]
    pids += [pid for pid in sorted(watch.workers_alive()) if watch.observer.state(pid) == "alive"]
    found: list[Whereabouts] = []
    workers = itertools.count(1)  # in the order of their process ids
    for pid in pids:
        if (left := end - time.monotonic()) <= 0:
            break
        threads = stacks.at_once(pid, left)
        frame = _own(threads, stacks)
        role = role_of(pid, watch.caller, threads, stacks)
        found.append(
            Whereabouts(
                pid=pid,
                role=role,
                number=next(workers) if role is Role.WORKER else 0,
                frame=frame,
                code=source_of(frame) if frame else "",
            )
        )
    return tuple(found)


def _own(threads: Sequence[Sequence[Frame]], stacks: Stacks) -> Frame | None:
    """Return the submission's innermost frame of the main thread, else of another one."""
    own = (own_frame(frames, stacks) for frames in reversed(threads))
    return next((frame for frame in own if frame is not None), None)
