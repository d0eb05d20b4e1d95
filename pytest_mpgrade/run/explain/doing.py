"""What a thread is doing, from its Python stack and the system call in which it sleeps."""

from __future__ import annotations

import linecache
import os
from collections.abc import Sequence

from pytest_mpgrade.records import Doing, Frame, Role
from pytest_mpgrade.run.explain.stacks import Stacks, function_name
from pytest_mpgrade.run.observe import loops
from pytest_mpgrade.system.linux.blocked import Blocked

_BY_FRAME: dict[tuple[str, str], Doing] = {
    # By file and function. Of the frames that the student's code has called, the outermost one that
    # is listed decides.
    ("queues.py", "_finalize_join"): Doing.WRITE,
    ("queues.py", "join_thread"): Doing.WRITE,
    ("queues.py", "join"): Doing.TASK_DONE,
    ("queues.py", "get"): Doing.GET,
    ("queues.py", "put"): Doing.PUT,
    ("queue.py", "join"): Doing.TASK_DONE,
    ("queue.py", "get"): Doing.GET,
    ("queue.py", "put"): Doing.PUT,
    ("<string>", "join"): Doing.TASK_DONE,  # methods of a manager's proxies
    ("<string>", "get"): Doing.GET,
    ("<string>", "put"): Doing.PUT,
    ("managers.py", "serve_forever"): Doing.SERVE,
    ("managers.py", "acquire"): Doing.LOCK,
    ("managers.py", "__enter__"): Doing.LOCK,
    ("managers.py", "EventProxy.wait"): Doing.EVENT,
    ("managers.py", "BarrierProxy.wait"): Doing.BARRIER,
    ("managers.py", "wait"): Doing.CONDITION,
    ("pool.py", "join"): Doing.POOL_JOIN,
    ("pool.py", "terminate"): Doing.POOL_JOIN,
    ("pool.py", "wait"): Doing.POOL_RESULT,
    ("pool.py", "get"): Doing.POOL_RESULT,
    ("pool.py", "next"): Doing.POOL_RESULT,
    ("process.py", "join"): Doing.JOIN,
    ("process.py", "shutdown"): Doing.POOL_JOIN,
    ("popen_fork.py", "wait"): Doing.JOIN,
    ("popen_forkserver.py", "poll"): Doing.JOIN,
    ("connection.py", "_send"): Doing.WRITE,
    ("connection.py", "send"): Doing.WRITE,
    ("connection.py", "send_bytes"): Doing.WRITE,
    ("connection.py", "recv"): Doing.RECEIVE,
    ("connection.py", "recv_bytes"): Doing.RECEIVE,
    ("connection.py", "recv_bytes_into"): Doing.RECEIVE,
    ("connection.py", "wait"): Doing.WAIT,
    ("synchronize.py", "Event.wait"): Doing.EVENT,
    ("synchronize.py", "wait"): Doing.CONDITION,
    ("synchronize.py", "__enter__"): Doing.LOCK,
    ("_base.py", "result"): Doing.POOL_RESULT,
    ("_base.py", "wait"): Doing.POOL_RESULT,
    ("_base.py", "as_completed"): Doing.POOL_RESULT,
    ("threading.py", "join"): Doing.THREAD,
    ("threading.py", "_shutdown"): Doing.THREAD,
    ("threading.py", "acquire"): Doing.LOCK,  # Semaphore
    ("threading.py", "__enter__"): Doing.LOCK,
    ("threading.py", "Barrier.wait"): Doing.BARRIER,
    ("threading.py", "Event.wait"): Doing.EVENT,
    ("threading.py", "wait"): Doing.CONDITION,
    ("pdb.py", "interaction"): Doing.INPUT,
    ("debugger.py", "interaction"): Doing.INPUT,
    ("getpass.py", "unix_getpass"): Doing.INPUT,
    ("gates.py", "ask"): Doing.GATE,
}

_BY_CALL: dict[str, Doing] = {
    "sleep": Doing.SLEEP,
    "futex": Doing.LOCK,
    "flock": Doing.LOCK,
    "fcntl": Doing.LOCK,
    "semop": Doing.LOCK,
    "wait4": Doing.JOIN,
    "waitid": Doing.JOIN,
    "read": Doing.RECEIVE,
    "readv": Doing.RECEIVE,
    "recvfrom": Doing.RECEIVE,
    "recvmsg": Doing.RECEIVE,
    "msgrcv": Doing.RECEIVE,
    "write": Doing.WRITE,
    "writev": Doing.WRITE,
    "sendto": Doing.WRITE,
    "sendmsg": Doing.WRITE,
    **dict.fromkeys(("poll", "ppoll", "select", "pselect6"), Doing.WAIT),
    **dict.fromkeys(
        ("epoll_wait", "epoll_pwait", "epoll_pwait2", "accept", "accept4", "connect"), Doing.WAIT
    ),
}
"""What a system call means. It decides where the student's own line, or a library that is not
listed, has called C code.
"""


def doing_of(frames: Sequence[Frame], stacks: Stacks, blocked: Blocked) -> Doing:
    """Return what a thread does: the library call nearest to the student's code decides.

    Where that call is not listed, the system call decides.
    """
    library: list[Frame] = []
    for frame in frames:
        if stacks.owns(frame):
            break
        library.append(frame)
    for frame in reversed(library):
        file = os.path.basename(frame.file)
        for name in (f"{_class_of(frame)}.{function_name(frame)}", function_name(frame)):
            if (file, name) in _BY_FRAME:
                return _BY_FRAME[file, name]
    if frames and not library:
        return _of_line(frames[0], blocked)
    return _BY_CALL.get(blocked.call, Doing.OTHER) if blocked.call != "futex" else Doing.OTHER


def role_of(pid: int, caller: int, threads: Sequence[Sequence[Frame]], stacks: Stacks) -> Role:
    """Return the role of a process with these stacks, of which the main thread's is the last."""
    if pid == caller:
        return Role.PARENT
    serves = threads and doing_of(threads[-1], stacks, Blocked()) is Doing.SERVE
    return Role.MANAGER if serves else Role.WORKER


def is_manager(pid: int, caller: int, stacks: Stacks) -> bool:
    """Ask a process for its stacks; tell whether it is a manager's server."""
    return role_of(pid, caller, stacks.of(pid), stacks) is Role.MANAGER


def _class_of(frame: Frame) -> str:
    """Return the class that a line of the standard library is in, by its source."""
    for number in range(frame.line, 0, -1):
        line = linecache.getline(frame.file, number)
        if line.startswith("class "):
            return line.removeprefix("class ").partition("(")[0].strip(" :\n")
        if line[:1] not in (" ", "\n", "#", ""):
            break
    return ""


def _of_line(own: Frame, blocked: Blocked) -> Doing:
    """Return what a student's line does in C code, which has no frame.

    The system call decides; where that says too little, the names that the line calls do.
    """
    called = loops.called_at(own)
    if blocked.call == "futex":
        if "get" in called and not blocked.shared:
            return Doing.GET  # queue.SimpleQueue
        return Doing.LOCK if not blocked.timed or "acquire" in called else Doing.BUSY
    if blocked.call in ("read", "readv") and blocked.files == (0,):
        return Doing.INPUT
    if blocked.call in _BY_CALL:
        return _BY_CALL[blocked.call]
    if blocked.call and blocked.call != "running":
        return Doing.OTHER
    if blocked.asleep and not called.isdisjoint(("acquire", "with")):
        return Doing.LOCK
    return Doing.SLEEP if "sleep" in called else Doing.BUSY


def own_frame(frames: Sequence[Frame], stacks: Stacks) -> Frame | None:
    """Return the innermost frame of a stack that is the submission's."""
    return next((frame for frame in frames if stacks.owns(frame)), None)


def source_of(frame: Frame) -> str:
    """Return the line of code at which a frame stands."""
    return linecache.getline(frame.file, frame.line).strip()[:120]
