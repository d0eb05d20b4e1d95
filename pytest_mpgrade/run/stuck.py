"""Where a tree that hangs stands, in words: Python stacks of every process, reduced to the student's lines.

Stacks come from faulthandler, which the child and the workers have registered for SIGUSR2 (it needs no rights, and a
process that cannot run Python code any more answers too); where that yields nothing, from py-spy if it is installed.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from collections.abc import Sequence

from pytest_mpgrade.records import Frame, Stuck
from pytest_mpgrade.run.linux import procfs
from pytest_mpgrade.run.watch import Watch

_FRAME = re.compile(r'^  File "(?P<file>.*)", line (?P<line>\d+) in (?P<function>.*)$')
_THREAD = re.compile(r"^(Current thread|Thread) .*\(most recent call first\):$")

_BOOTSTRAP = ("process.py", "_bootstrap")
"""Where a child of multiprocessing begins."""
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


def explain(watch: Watch, stacks: str, folder: str) -> tuple[Stuck, ...]:
    """Say of every process of a tree that hangs what it waits for. *folder*: the submission's."""
    roles = _roles(watch)
    found = []
    for pid, role in roles.items():
        threads = stack_of(pid, stacks)
        found.append(_stuck(watch, pid, role, threads, folder, roles))
    return tuple(found)


def _roles(watch: Watch) -> dict[int, str]:
    workers = sorted(watch.workers_alive())
    roles = {watch.caller: "the parent"} if not watch.dead else {}
    roles.update({pid: f"worker {number}" for number, pid in enumerate(workers, 1)})
    return dict(list(roles.items())[:20])


def _stuck(
    watch: Watch, pid: int, role: str, threads: Sequence[list[Frame]], folder: str, roles: dict[int, str]
) -> Stuck:
    main = threads[-1] if threads else []
    doing = "stopped" if watch.observer.stopped(pid) else doing_of(main, folder)
    if doing in ("thread", "") and any(_feeds(thread) for thread in threads[:-1]):
        doing = "write"  # the main thread waits for its queue's feeder
    own = own_frame(main, folder)
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
        frames=_reduced(main, folder),
    )


def _asleep(watch: Watch, pid: int) -> bool:
    """A process whose innermost frame is the student's may still wait, in C: lock.acquire() has no Python frame."""
    return not any(thread.state == "R" or thread.timed for thread in watch.observer.threads([pid]) if thread.tid == pid)


def doing_of(frames: Sequence[Frame], folder: str) -> str:
    """Return what the library call nearest to the student's code does."""
    library: list[Frame] = []
    for frame in frames:
        if _own(frame, folder):
            break
        library.append(frame)
    for frame in reversed(library):
        for file, function, doing in _DOING:
            if os.path.basename(frame.file) == file and _name(frame) == function:
                return doing
    if frames and not library:
        return "sleep" if "sleep" in source_of(frames[0]) else "busy"
    return ""


def _feeds(frames: Sequence[Frame]) -> bool:
    """Tell whether a thread is a queue's feeder that is stuck in writing to the pipe."""
    names = {frame.function for frame in frames}
    return "_feed" in names and "_send" in names


def own_frame(frames: Sequence[Frame], folder: str) -> Frame | None:
    """Return the innermost frame of a stack that is the submission's."""
    return next((frame for frame in frames if _own(frame, folder)), None)


def _own(frame: Frame, folder: str) -> bool:
    return frame.file.startswith(folder + os.sep)


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


def _reduced(frames: Sequence[Frame], folder: str) -> tuple[Frame, ...]:
    """Keep the student's frames and the library frame that they called."""
    kept: list[Frame] = []
    for inner, frame in zip([None, *frames], frames, strict=False):
        if _own(frame, folder):
            if inner is not None and not _own(inner, folder):
                kept.append(inner)
            kept.append(Frame(file=frame.file, line=frame.line, function=frame.function, own=True))
    return tuple(kept[:12])


def stack_of(pid: int, path: str) -> list[list[Frame]]:
    """Return the stacks of a process's threads, innermost frame first, the main thread last."""
    return [_since_start(thread) for thread in _from_faulthandler(pid, path) or _from_py_spy(pid)]


def _since_start(frames: list[Frame]) -> list[Frame]:
    """Below where a forked worker began lies what its parent was doing then, such as `p.start()`: not its own doing."""
    begun = (at for at, frame in enumerate(frames) if (os.path.basename(frame.file), _name(frame)) == _BOOTSTRAP)
    return frames[: next(begun, len(frames))]


def _name(frame: Frame) -> str:
    """Return a function's name without its class, which some versions of Python put before it."""
    return frame.function.rpartition(".")[2]


def _from_faulthandler(pid: int, path: str) -> list[list[Frame]]:
    """One process at a time: the text does not say whose it is."""
    if not hasattr(signal, "SIGUSR2"):
        return []
    before = _size(path)
    try:
        os.kill(pid, signal.SIGUSR2)
    except OSError:
        return []
    end = time.monotonic() + 1.0
    text, last = "", -1
    while time.monotonic() < end:
        size = _size(path)
        if size > before and size == last:
            break
        last = size
        time.sleep(0.01)
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            file.seek(before)
            text = file.read(200_000)
    except OSError:
        return []
    return parse(text)


def parse(text: str) -> list[list[Frame]]:
    """Read what faulthandler has written: a list of frames for each thread."""
    threads: list[list[Frame]] = []
    for line in text.splitlines():
        if _THREAD.match(line):
            threads.append([])
        elif (match := _FRAME.match(line)) and threads:
            threads[-1].append(Frame(file=match["file"], line=int(match["line"]), function=match["function"]))
    return [thread for thread in threads if thread]


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _from_py_spy(pid: int) -> list[list[Frame]]:
    import subprocess  # here: every run pays for what is imported above, and few need this

    program = os.path.join(os.path.dirname(sys.executable), "py-spy")
    if not os.path.exists(program):
        return []
    try:
        done = subprocess.run(
            [program, "dump", "--nonblocking", "--json", "--pid", str(pid)], capture_output=True, timeout=3, check=True
        )
        dump = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return []
    threads = [
        [Frame(file=frame["filename"], line=frame["line"], function=frame["name"]) for frame in thread["frames"]]
        for thread in dump
    ]
    return [thread for thread in reversed(threads) if thread]
