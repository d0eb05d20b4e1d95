"""One `python -m pytest` of its own for each grading: started, waited for, ended whatever happens.

A submission's code never runs in the calling process, and what a grading's processes print goes to
a file: a daemon that outlives them could hold a pipe open for ever.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.session.handover import Handover, as_input
from pytest_mpgrade.system import log_lock, process_groups
from pytest_mpgrade.system.text import exit_words, one_line

LOG = "pytest.log"
GRACE = 10.0
"""Seconds for an interrupted grading to put its result in order, before it is killed."""

_PERIOD = 0.2
"""Seconds between two checks whether a grading is to be stopped."""
_INI = Path(__file__).with_name("grading.ini")


class Stop:
    """Ends gradings from another thread: by an interrupt, and when set again by a kill."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()

    def set(self) -> None:
        """End all gradings that run, and those that are started later; a second time, kill them."""
        again = self._asked.is_set()
        self._asked.set()
        if again:
            with self._lock:
                running = list(self._running)
            for process in running:
                process_groups.send(process, process_groups.KILL)

    def is_set(self) -> bool:
        """Tell whether gradings are to end."""
        return self._asked.is_set()

    @contextlib.contextmanager
    def watching(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        """Let `set` reach a grading's process while it runs."""
        with self._lock:
            self._running.add(process)
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(process)


_NOTHING_CHOSEN = 5
"""The exit status of pytest where no test was collected (pytest.ExitCode)."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a user may ask of a grading."""

    observer: str = "auto"
    isolation: str = "auto"
    require_isolation: bool = False
    limits: tuple[str, ...] = ()  # "name=value"
    keyword: str = ""  # pytest's -k
    collect_only: bool = False  # list the tests, and run none
    seconds: float = 0.0  # for the whole grading, a backstop; 0: the assignment's limit
    deadline: float = 0.0  # seconds since the epoch, also on another machine; 0: none
    id: str = ""  # default: the path's name
    folder: str = ""  # below the output folder; default: made from the id
    # formats, with the file for each; "": beside the result
    exports: tuple[tuple[str, str], ...] = ()
    stop: Stop = field(default_factory=Stop)
    live: str = ""  # the file to which it tells how far it is; session/live_events.py
    look: Callable[[], None] = lambda: None  # called again and again while it runs


@dataclass(frozen=True, kw_only=True)
class TimeBudget:
    """The seconds that a grading may take, and the words for one that took longer."""

    seconds: float
    grace: float  # seconds for putting its result in order, when it is ended
    said: str


def budget(options: Options, limit: float) -> TimeBudget:
    """Return the seconds that are left of a grading's *limit* before its deadline.

    The budget leaves time before the deadline for an interrupted grading to end, and as much again
    for writing what is known then.
    """
    remaining = max(0.0, options.deadline - time.time()) if options.deadline else float("inf")
    grace = min(GRACE, remaining / 4)
    if remaining - 2 * grace < limit:
        said = "not graded in time: the grading was ended before its deadline"
        return TimeBudget(seconds=remaining - 2 * grace, grace=grace, said=said)
    said = f"the grading took longer than {limit:g} s, its time limit, and was ended"
    return TimeBudget(seconds=limit, grace=GRACE, said=said)


def _grading_command(handover: Handover, folder: Path, options: Options) -> list[str]:
    """Return the command line of the process that grades what is handed to it into *folder*.

    Who looks at a list of processes sees what is graded.
    """
    whole, home = folder.resolve(), Path(handover.assignment.folder).resolve()
    command = [sys.executable, "-m", "pytest_mpgrade.grade.pytest_child", str(os.getpid())]
    command += ["-q", "--no-header", "--tb=short", "--color=no"]
    command += ["-p", "no:cacheprovider", "-p", "pytest_mpgrade.plugin", "-c", str(_INI)]
    command += ["--rootdir", str(home), f"--basetemp={whole / 'tmp'}", "--mpgrade", str(home)]
    command += [f"--mpgrade-submission={handover.submission.path}", f"--mpgrade-out={whole}"]
    command += [f"--mpgrade-id={handover.submission.id}"]
    command += [f"--mpgrade-observer={options.observer}"]
    command += [f"--mpgrade-isolation={options.isolation}"]
    command += ["--mpgrade-require-isolation"] * options.require_isolation
    command += ["--collect-only"] * options.collect_only
    command += [f"--mpgrade-live={options.live}"] * bool(options.live)
    return command + [f"-k={options.keyword}"] * bool(options.keyword)


def _variables(submission: Path) -> dict[str, str]:
    """Return the environment of a grading.

    Nothing in it may change a verdict from one machine to the next.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    # A relative entry would mean another folder from now on, and one of the student's would reach
    # the grader.
    paths = [
        entry for entry in kept.pop("PYTHONPATH", "").split(os.pathsep) if os.path.isabs(entry)
    ]
    paths = [
        entry for entry in paths if not Path(entry).resolve().is_relative_to(submission.resolve())
    ]
    home = Path(__file__).resolve().parent.parent.parent
    if home.name not in ("site-packages", "dist-packages"):
        paths.append(str(home))
    return {
        **kept,
        **({"PYTHONPATH": os.pathsep.join(paths)} if paths else {}),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }


def run_pytest(handover: Handover, folder: Path, options: Options, allowed: TimeBudget) -> str:
    """Run the grading to its end, or until it is stopped.

    Returns in words how it ended, "" where it ended by itself.
    """
    if allowed.seconds <= 0:
        return allowed.said
    log_lock.wait_for_log(folder / LOG)  # here, where an interrupt still arrives
    with _signals_held() as release:
        process = _start(handover, folder, options)
        try:
            with options.stop.watching(process):
                release()
                _wait(process, allowed.seconds, options)
        except subprocess.TimeoutExpired:
            return allowed.said
        finally:
            _end(process, allowed.grace)
            shutil.rmtree(folder / "tmp", ignore_errors=True)
    # 0 and 1 are pytest's own: all tests passed, some failed. 7: refused for want of isolation,
    # which the result says.
    code = process.returncode
    if code == _NOTHING_CHOSEN and options.keyword:
        raise UsageError(f"no question fits -k {options.keyword!r}; mpgrade rubric names them")
    return (
        ""
        if code in (0, 1, 7)
        else f"the grading ended early ({exit_words(code)}); {last_line(folder / LOG)}"
    )


def _wait(process: subprocess.Popen[bytes], seconds: float, options: Options) -> None:
    """Wait for the grading's end, and end it before where it is to be stopped.

    Raises subprocess.TimeoutExpired.
    """
    end = time.monotonic() + seconds
    while not options.stop.is_set() and time.monotonic() < end:
        if process_groups.exit_status(process, _PERIOD) is not None:
            return
        options.look()
    if options.stop.is_set():
        _end(process)
    elif process_groups.exit_status(process, 0.0) is None:
        raise subprocess.TimeoutExpired(process.args, seconds)


@contextlib.contextmanager
def _signals_held() -> Iterator[Callable[[], None]]:
    """Hold signals back until `release` is called.

    A signal that comes while a process is started would leave a process that nobody knows of.
    """
    if sys.platform == "win32":
        yield lambda: None
        return
    before = signal.pthread_sigmask(
        signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    )
    try:
        yield lambda: _set_mask(before)
    finally:
        _set_mask(before)


def _set_mask(signals: Iterable[int]) -> None:
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_SETMASK, signals)


def _start(handover: Handover, folder: Path, options: Options) -> subprocess.Popen[bytes]:
    # Python puts the folder it is started in on sys.path: never the submission, or a student's file
    # could be imported.
    variables = _variables(Path(handover.submission.path))
    with log_lock.log(folder / LOG) as log, as_input(handover) as given:
        return subprocess.Popen(
            _grading_command(handover, folder, options),
            cwd=folder,
            env={**variables, **log_lock.log_variable(log)},
            stdin=given,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=(log.fileno(),) if log_lock.WORKS else (),
            start_new_session=True,
        )


def _end(process: subprocess.Popen[bytes], grace: float = GRACE) -> None:
    """End what is left of a grading.

    It is asked to end first, so that it ends its own processes and keeps its result.
    """
    try:
        if process_groups.exit_status(process, 0.0) is None:
            if sys.platform == "win32":
                process.terminate()
            else:
                process.send_signal(signal.SIGINT)
            process_groups.exit_status(process, grace)
    finally:
        # Also where it has ended by itself: its group holds processes that it started and left.
        process_groups.kill(process)


def last_line(log: Path) -> str:
    """Return the last line that a grading has printed, and where the others are."""
    lines = log.read_text("utf-8", "replace").splitlines() if log.exists() else []
    last = next((line for line in reversed(lines) if line.strip()), "it is empty")
    return f"see {log.name}: {one_line(last)[:200]}"
