"""What a failure looks like, whichever check has seen it: one fault shows the same symptom in
several checks.
"""

from __future__ import annotations

NO_ROOM = "no room"
"""Of a parent that waits for room in a queue or pipe which nobody empties."""
NOT_TOLD = "workers not told to stop"
"""Of a parent that waits for the end of workers which wait for a task or a sentinel."""
ALIVE = "workers stay alive"
"""Of workers that nobody has told to stop."""
UNJOINED = "not joined"
"""Of workers that have ended and that nobody has joined."""
HELPER = "helper alive"
"""Of processes that ran no task, such as a manager's, and are not shut down."""
RESIDUE = "residue"
"""Of threads, pipes and names that are left."""
FORCED = "forced"
"""Of workers that did not end by themselves."""
DIRECT = "called directly"
"""Of a function that does not do its plainest work when it is called by itself."""
MADE_UP = "made up"
"""Of results of tasks that no process has run."""
