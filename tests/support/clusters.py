"""What tests of clusters share: a small class, and processes that end with the test that started
them.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil

from support import small_class
from support.running import variables, wait_until
from support.small_class import RIGHT, TESTS, TOML, command, hand_in

PATIENCE = 300.0
"""Seconds: a backstop for machines that are busy with much else."""
UNREADABLE = "def double(x)\n    return x\n"
SLOW = "import time\n\ndef double(x):\n    time.sleep(20)\n    return 2 * x\n"


def course(folder: Path, solutions: Mapping[str, str]) -> Path:
    """Write an assignment and a class into a folder."""
    (folder / "double").mkdir()
    (folder / "double" / "assignment.toml").write_text(
        TOML + "\n[limits]\nseconds = 60\npatience = 60\n"
    )
    (folder / "double" / "test_double.py").write_text(TESTS)
    for name, text in solutions.items():
        hand_in(folder, name, text)
    return folder


def many(right: int, unreadable: int) -> dict[str, str]:
    """Return a class in which most cannot be graded, which is quick."""
    ungradable = {f"broken{number:02}": UNREADABLE for number in range(unreadable)}
    return {f"right{number:02}": RIGHT for number in range(right)} | ungradable


def words(*options: str) -> list[str]:
    """Return the command line of a batch, each grading on one core."""
    return small_class.words("--cores", "1", *options)


@contextlib.contextmanager
def running(
    command: Sequence[str], folder: Path, log: str, **more: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command beside a test; its whole tree is ended with the block."""
    with (folder / log).open("wb") as file:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**variables(), **more},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process and all below it, which it may have had no time to end; resource trackers end
    by themselves.
    """
    tree = [(each, _words(each)) for each in below(process.pid)]
    process.kill()
    process.wait()
    trackers = [each for each, words in tree if "resource_tracker import main" in words]
    for each, _ in tree:
        with contextlib.suppress(psutil.NoSuchProcess):
            if each not in trackers:
                each.kill()
    psutil.wait_procs(trackers, PATIENCE)  # they remove the semaphores of those that are gone


def below(pid: int) -> list[psutil.Process]:
    """Return a process and all below it."""
    try:
        top = psutil.Process(pid)
        return [top, *top.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def grades(pid: int, name: str = "") -> bool:
    """Tell whether a student's process runs somewhere below a process; *name*: this student's."""
    return any(
        "inside.child" in words
        for top in gradings(pid, name)
        for words in map(_words, below(top.pid))
    )


def gradings(pid: int, name: str = "") -> list[psutil.Process]:
    """Return the gradings below a process; *name*: of this submission only."""
    found = [(each, _words(each)) for each in below(pid)]
    return [
        each
        for each, words in found
        if "cluster.lifeline" in words and f"/submission/{name}" in words
    ]


def _words(process: psutil.Process) -> str:
    return " ".join(command(process))


@contextlib.contextmanager
def poisonous(pid: int, name: str) -> Iterator[list[int]]:
    """End every worker below a process as soon as it grades one submission; gives the pids of those
    that were ended.
    """
    over, ended = threading.Event(), list[int]()

    def watch() -> None:
        while not over.wait(0.02):
            for each in gradings(pid, name):
                with contextlib.suppress(psutil.Error):
                    worker = each.parent()
                    if worker is not None and worker.pid in {one.pid for one in below(pid)} - {
                        pid,
                        *ended,
                    }:
                        ended.append(worker.pid)
                        worker.kill()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield ended
    finally:
        over.set()
        watcher.join()


def gone(tree: Sequence[psutil.Process]) -> bool:
    """Wait until no process of a tree is left."""
    return wait_until(
        lambda: not any(each.is_running() and each.status() != "zombie" for each in tree), PATIENCE
    )


def attempts(folder: Path, word: str = "begun") -> int:
    """Return how many attempts a batch has logged; *word*: only those of which the log says that,
    such as `ended`.
    """
    place = folder / "out" / ".cluster" / "results" / "attempts"
    return sum(word in path.read_text() for path in place.iterdir()) if place.is_dir() else 0


def reason(folder: Path, name: str) -> str:
    """Return why a submission has no grade."""
    return str(json.loads((folder / "out" / name / "result.json").read_text("utf-8"))["reason"])
