"""Names of symptoms: what a failure shows, whichever check fails.

One fault shows the same symptom in several checks. `points.blame` uses this to blame it once.
"""

from __future__ import annotations

NO_ROOM = "no room"
"""A parent waits for room in a queue or pipe that nobody empties."""
NOT_TOLD = "workers not told to stop"
"""A parent waits for the end of workers that wait for a task or a sentinel."""
ALIVE = "workers stay alive"
"""Workers are still alive after the call, because they got no sentinel."""
UNJOINED = "not joined"
"""Workers have ended, and the caller has not joined them."""
HELPER = "helper alive"
"""Processes that ran no task, such as that of a manager, were not shut down."""
RESIDUE = "residue"
"""Threads, pipes, semaphores or shared memory are left."""
FORCED = "forced"
"""Workers did not end by themselves with exit status 0."""
NONE_STARTED = "no child process"
"""A call started no child process at all."""
DIRECT = "called directly"
"""A function that was called directly does not do its plainest work."""
MADE_UP = "made up"
"""A call returned results of tasks that no process ran."""
HANDLES = "handles"
"""What a call returned cannot be given to the next call."""
BLOCKED_LOOP = "blocked loop"
"""A coroutine waits, and nothing else in its event loop can run meanwhile."""
