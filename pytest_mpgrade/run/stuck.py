"""Where a tree that hangs stands, in words: Python stacks of every process, reduced to the student's lines."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from pytest_mpgrade.records import Frame, Stuck
from pytest_mpgrade.run.linux import procfs
from pytest_mpgrade.run.stacks import Stacks, name_of
from pytest_mpgrade.run.watch import Watch

_EXIT = re.compile(r"\b(is_alive|sentinels?|exitcode|active_children)\b")
"""Who waits or polls for one of these waits for the end of a process."""

_DOING: tuple[tuple[str, str, str], ...] = (
    # file, function, what it does; of the frames below the student's, the outermost that fits decides
    ("queues.py", "_finalize_join", "write"),
    ("queues.py", "join_thread", "write"),
    ("queues.py", "join", "task_done"),
    ("queues.py", "get", "get"),
    ("queues.py", "put", "put"),
    ("queue.py", "get", "get"),
    ("queue.py", "put", "put"),
    ("pool.py", "join", "pool join"),
    ("pool.py", "terminate", "pool join"),
    ("pool.py", "wait", "pool result"),
    ("pool.py", "get", "pool result"),
    ("process.py", "join", "join"),
    ("popen_fork.py", "wait", "join"),
    ("popen_forkserver.py", "poll", "join"),
    ("connection.py", "_send", "write"),
    ("connection.py", "send", "write"),
    ("connection.py", "send_bytes", "write"),
    ("connection.py", "recv", "receive"),
    ("connection.py", "recv_bytes", "receive"),
    ("connection.py", "wait", "wait"),
    ("synchronize.py", "wait", "condition"),
    ("synchronize.py", "__enter__", "lock"),
    ("_base.py", "result", "pool result"),
    ("_base.py", "wait", "pool result"),
    ("process.py", "shutdown", "pool join"),
    ("threading.py", "join", "thread"),
    ("threading.py", "wait", "condition"),
    ("gates.py", "ask", "gate"),
)

_WORDS = {
    "get": "waits for something to arrive in a queue",
    "put": "waits for room in a queue",
    "write": "cannot finish writing: the pipe is full and nobody reads",
    "task_done": "waits in a queue's join() for task_done()",
    "join": "waits for {whom} to end",
    "pool join": "waits for the workers of its pool to end",
    "pool result": "waits for a result of its pool",
    "receive": "waits for a message on a connection",
    "wait": "waits for a connection or a process",
    "lock": "waits for a lock that nobody releases",
    "condition": "waits to be notified",
    "thread": "waits for a thread of its own to end",
    "gate": "is in one of the grader's tasks",
    "stopped": "was stopped by a signal",
    "busy": "is busy",
    "sleep": "sleeps again and again",
    "": "waits",
}


def explain(watch: Watch, stacks: Stacks) -> tuple[Stuck, ...]:
    """Say of every process of a tree that hangs what it waits for."""
    roles = _roles(watch)
    found = []
    for pid, role in roles.items():
        found.append(_stuck(watch, pid, role, stacks, roles))
    return tuple(found)


def _roles(watch: Watch) -> dict[int, str]:
    workers = sorted(watch.workers_alive())
    roles = {watch.caller: "the parent"} if not watch.dead else {}
    roles.update({pid: f"worker {number}" for number, pid in enumerate(workers, 1)})
    return dict(list(roles.items())[:20])


def _stuck(watch: Watch, pid: int, role: str, stacks: Stacks, roles: dict[int, str]) -> Stuck:
    threads = stacks.of(pid)
    main = threads[-1] if threads else []
    doing = "stopped" if watch.observer.stopped(pid) else doing_of(main, stacks)
    if doing in ("thread", "") and any(_feeds(thread) for thread in threads[:-1]):
        doing = "write"  # the main thread waits for its queue's feeder
    own = own_frame(main, stacks)
    if doing == "busy" and own is not None and _asleep(watch, pid):
        doing = "lock" if re.search("acquire|lock|sem", source_of(own), re.IGNORECASE) else ""
    if doing in ("wait", "sleep", "busy") and own is not None and _EXIT.search(_lines_above(own)):
        doing = "join"
    words = _WORDS.get(doing, "waits").format(whom=_whom(pid, roles))
    if doing == "get" and role != "the parent":
        words = "waits for a task or 'STOP' that never comes"
    elif doing == "get":
        words = "waits for a result that never comes"
    where = f", at {os.path.basename(own.file)}:{own.line}: {source_of(own)}" if own else ""
    return Stuck(
        pid=pid,
        role=role,
        doing=doing,
        sentence=f"{role} (pid {pid}) {words}{where}",
        frames=_reduced(main, stacks),
    )


def _asleep(watch: Watch, pid: int) -> bool:
    """A process whose innermost frame is the student's may still wait, in C: lock.acquire() has no Python frame."""
    return not any(thread.state == "R" or thread.timed for thread in watch.observer.threads([pid]) if thread.tid == pid)


def doing_of(frames: Sequence[Frame], stacks: Stacks) -> str:
    """Return what the library call nearest to the student's code does."""
    library: list[Frame] = []
    for frame in frames:
        if stacks.owns(frame):
            break
        library.append(frame)
    for frame in reversed(library):
        for file, function, doing in _DOING:
            if os.path.basename(frame.file) == file and name_of(frame) == function:
                return doing
    if frames and not library:
        return "sleep" if "sleep" in source_of(frames[0]) else "busy"
    return ""


def _feeds(frames: Sequence[Frame]) -> bool:
    """Tell whether a thread is a queue's feeder that is stuck in writing to the pipe."""
    names = {frame.function for frame in frames}
    return "_feed" in names and "_send" in names


def own_frame(frames: Sequence[Frame], stacks: Stacks) -> Frame | None:
    """Return the innermost frame of a stack that is the submission's."""
    return next((frame for frame in frames if stacks.owns(frame)), None)


def _lines_above(frame: Frame) -> str:
    """Return the line of a frame and the two above: the head of a polling loop is there."""
    import linecache

    return "".join(linecache.getline(frame.file, line) for line in range(max(1, frame.line - 2), frame.line + 1))


def source_of(frame: Frame) -> str:
    """Return the line of code that a frame stands at."""
    import linecache

    return linecache.getline(frame.file, frame.line).strip()[:120]


def _whom(pid: int, roles: dict[int, str]) -> str:
    """Return which worker a process waits for: the first argument of wait4(2) is its pid."""
    for tid in procfs.tasks(pid):
        waited = procfs.waits_for_child(pid, tid)
        if waited in roles:
            return f"{roles[waited]} (pid {waited})"
    return "a worker"


def _reduced(frames: Sequence[Frame], stacks: Stacks) -> tuple[Frame, ...]:
    """Keep the student's frames and the library frame that they called."""
    kept: list[Frame] = []
    for inner, frame in zip([None, *frames], frames, strict=False):
        if stacks.owns(frame):
            if inner is not None and not stacks.owns(inner):
                kept.append(inner)
            kept.append(Frame(file=frame.file, line=frame.line, function=frame.function, own=True))
    return tuple(kept[:12])
