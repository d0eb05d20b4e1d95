"""One grading of one hostile submission in one place: in a cell, or where there is none beside
others.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import selectors
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from hostile.cell import Left, Order
from hostile.places import ROOT, Place
from pytest_mpgrade.system.linux.cgroups import Cgroup
from support.ended_groups import end_members

CASES = ROOT / "assignments" / "mp_apply" / "wrong" / "hostile"
SECONDS = 400.0
"""Of a grading, at the least."""
RUNS = 60
"""Of a grading, that are made one after the other where there is no isolation."""
PROCESSES, MEMORY = 3000, 8_000_000_000
"""Of one cell, should the grader's own limits fail."""
SECRET = "4711"


_numbers = itertools.count()
_running: set[subprocess.Popen[str]] = set()
_broken_off = threading.Event()


def end_all() -> None:
    """End all cells, and those that are still begun: the suite is broken off."""
    _broken_off.set()
    for process in list(_running):
        process.kill()


def cell_works(temp: Path) -> str:
    """Return why no cell can be made here; "" when one can."""
    if os.geteuid() != 0:
        return "only root can make one"
    folder = temp / "cell-probe"
    folder.mkdir()
    order = Order(command=["/bin/true"], environment={}, folder=str(folder), seconds=20)
    left = _in_cell(order, "probe")
    return (
        left.broke
        or "; ".join(left.left)
        or ("" if left.code == 0 else f"exit code {left.code}: {left.said}")
    )


def grade(source: Path, place: Place, temp: Path, id: str, seconds: float) -> Left:
    """Grade; *seconds*: the limit of one call.

    What is heard on this machine's ports meanwhile is something left.
    """
    folder = temp / str(next(_numbers))
    submission, cell = folder / "submission", folder / "cell"
    cell.mkdir(parents=True)
    with _listening() as (there, heard):
        _lay_out(source, submission, there)
        before = _bytes_of(submission)
        order = _order(submission, place, cell, id, seconds)
        left = _in_cell(order, id) if place.celled else _beside_others(order)
        if _bytes_of(submission) != before:
            left.left.append("the submission was changed")
        left.left.extend(heard)
    shutil.rmtree(folder, ignore_errors=True)
    return left


def _order(submission: Path, place: Place, cell: Path, id: str, seconds: float) -> Order:
    command = [
        place.mpgrade,
        "grade",
        str(submission),
        "--assignment",
        "mp_apply",
        "--out",
        f"{cell}/out",
        "--id",
        id,
    ]
    longest = max(SECONDS, RUNS * seconds) if place.layer == "none" else SECONDS
    command += ["--isolation", place.layer, "--no-require-isolation", "--time-limit", str(longest)]
    # Many of them spin until they are ended.
    command += ["--limit", f"seconds={seconds:g}", "--limit", f"import_seconds={seconds:g}"]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": f"{cell}/home",
        "TMPDIR": f"{cell}/tmp",
        "SECRET": SECRET,
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return Order(
        command=command,
        environment=environment,
        folder=str(cell),
        user=place.uid,
        docker=place.docker,
        seconds=longest + 30,
    )


def _lay_out(source: Path, folder: Path, there: dict[str, object]) -> None:
    """Copy a submission as a student hands it in, with a file name that is none to be printed."""
    if source.is_dir():
        shutil.copytree(source, folder)
        (folder / "a file\nwith a new line \x1b[31m.py").write_text("x = 1\n")
    else:
        folder.mkdir(parents=True)
        shutil.copyfile(source, folder / "cv_funcs.py")
    (folder / "listeners.json").write_text(json.dumps(there))
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _bytes_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path): path.read_bytes() if path.is_file() else b""
        for path in sorted(folder.rglob("*"))
    }


def _in_cell(order: Order, id: str) -> Left:
    """Have a cell made, in a control group that holds whatever comes of it."""
    group = Cgroup.create(f"hostile-{id}", processes=PROCESSES, memory=MEMORY)
    process = subprocess.Popen(
        [sys.executable, "-m", "hostile.cell"],
        cwd=ROOT / "tests",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=group.join if group else None,
    )
    _running.add(process)
    if _broken_off.is_set():
        process.kill()
    try:
        told, broke = process.communicate(json.dumps(vars(order)), timeout=order.seconds + 60)
        left = (
            Left(**json.loads(told))
            if told
            else Left(broke=broke[-500:] or "the cell ended without a word")
        )
    except subprocess.TimeoutExpired:
        left = Left(broke="the cell did not end")
    finally:
        process.kill()  # and with it its first process, and so all others
        process.wait()
        _running.discard(process)
        if group is not None:
            end_members(group)
            if not group.remove():
                left.left.append("processes that are in no cell any more")
    return left


def _beside_others(order: Order) -> Left:
    """Grade where no cell can be made: what is left is looked for by its marks, and found less
    surely.
    """
    for path in (order.out, order.tmp, order.home):
        Path(path).mkdir(parents=True)
    began = time.monotonic()
    try:
        done = subprocess.run(
            order.command,
            env=order.environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            start_new_session=True,
            timeout=order.seconds,
            check=False,
        )
        code, said = done.returncode, (done.stdout + done.stderr).decode(errors="replace")
    except subprocess.TimeoutExpired:
        code, said = None, ""
    results = list(Path(order.out).glob("*/result.json"))
    return Left(
        code=code,
        said=said[-2000:],
        result=results[0].read_text() if results else "",
        left=[*_marked(order)],
        seconds=time.monotonic() - began,
    )


def _marked(order: Order) -> Iterator[str]:
    for folder in ("/tmp", "/var/tmp", "/dev/shm", "/run/lock", "/", str(Path.home())):
        with contextlib.suppress(OSError):
            marked = [
                name
                for name in os.listdir(folder)
                if name.startswith(("hostile-", "mpgrade-hostile"))
            ]
            yield from (f"{folder}/{name}" for name in marked)
    yield from (
        f"{folder}/{name}" for folder in (order.home, order.tmp) for name in os.listdir(folder)
    )
    mark = order.environment["TMPDIR"].encode()
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if mark in path.read_bytes():
                yield f"process {path.parent.name}"


@contextlib.contextmanager
def _listening() -> Iterator[tuple[dict[str, object], list[str]]]:
    """Listen on this machine, and note what is heard."""
    heard: list[str] = []
    name = f"hostile-{os.urandom(6).hex()}"
    with contextlib.ExitStack() as stack, selectors.DefaultSelector() as selector:
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        abstract = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        udp.bind(("127.0.0.1", 0))
        abstract.bind(f"\0{name}")
        abstract.listen()
        done = threading.Event()
        for each, kind in ((tcp, "TCP"), (udp, "UDP"), (abstract, "an abstract name")):
            each.setblocking(False)
            selector.register(each, selectors.EVENT_READ, kind)

        def listen() -> None:
            while not done.is_set():
                for key, _ in selector.select(0.2):
                    heard.append(f"a connection by {key.data}")
                    selector.unregister(key.fileobj)

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield (
                {
                    "tcp": tcp.getsockname()[1],
                    "udp": udp.getsockname()[1],
                    "abstract": name,
                },
                heard,
            )
        finally:
            done.set()
            thread.join()
