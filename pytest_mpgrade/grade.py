"""Grade one submission: one `python -m pytest` of its own, whose result file is there from the first moment.

Called by the command line and by every batch executor. A submission's code never runs in this process, and what a
grading's processes print goes to a file: a daemon that outlives them could hold a pipe open for ever.
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import hashlib
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from pytest_mpgrade import __version__
from pytest_mpgrade.errors import MpgradeError, UngradableError, UsageError
from pytest_mpgrade.records import Assignment, Report, Status, Submission
from pytest_mpgrade.report import result_json
from pytest_mpgrade.report.result_json import ResultFile
from pytest_mpgrade.report.text import exit_words, one_line

RESULT, LOG = "result.json", "pytest.log"
NOT_YET = "not graded yet"
GRACE = 10.0
"""Seconds that an interrupted grading has for putting its result in order, before it is killed."""

_INI = Path(__file__).with_name("grading.ini")
_LONGEST_NAME = 60
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a user may ask of a grading."""

    observer: str = "auto"
    keyword: str = ""  # pytest's -k
    seconds: float = 1800.0  # for the whole grading: a backstop, every call has its own limits
    id: str = ""  # default: the path's name
    folder: str = ""  # below the output folder; default: made from the id


@dataclass(frozen=True, kw_only=True)
class Grading:
    """The outcome of grading one submission: its result, and the folder that holds it and the log."""

    result: ResultFile
    folder: Path


def grade(path: Path, assignment: Assignment, out: Path, *, options: Options | None = None) -> Grading:
    """Grade what was handed in at *path*; the result is in a folder of its own below *out*.

    Raises UsageError where *path* is missing or *out* cannot be used. Whatever else goes wrong is a result, with
    status `ungradable` or `error`. On Ctrl-C the processes are ended, the partial result stays, and it is passed on.
    """
    chosen = options or Options()
    shown = Submission(id=chosen.id or _default_id(path), path=str(path))
    folder = out / (chosen.folder or folder_name(shown.id))
    _check_places(path, folder)
    _record(shown, assignment, folder, Status.ERROR, NOT_YET)
    try:
        _discover(path, assignment, shown.id)
    except UngradableError as error:
        return _record(shown, assignment, folder, Status.UNGRADABLE, str(error))
    except MpgradeError:
        raise
    except Exception as error:
        why = f"the grader could not read the submission: {type(error).__name__}: {error}"
        return _record(shown, assignment, folder, Status.ERROR, why)
    ended = _run(_command(path, assignment, folder, shown.id, chosen), path, folder, chosen.seconds)
    return _finish(shown, assignment, folder, ended)


def failed(path: Path, assignment: Assignment, out: Path, *, options: Options, reason: str) -> Grading:
    """Return an `error` result for a submission on which the grader itself broke; kept on disk where that works."""
    shown = Submission(id=options.id or _default_id(path), path=str(path))
    folder = out / (options.folder or folder_name(shown.id))
    report = _report(shown, assignment, Status.ERROR, reason)
    try:
        return _keep(report, folder)
    except UsageError:
        return Grading(result=report, folder=folder)


def _default_id(path: Path) -> str:
    """Return the name of a folder, or of a file without its suffix."""
    whole = path.resolve()
    return (whole.stem if whole.is_file() else whole.name) or "submission"


def folder_name(id: str) -> str:
    """Return a safe folder name for a submission's id; one that had to be changed ends with a hash, to stay unique."""
    name = re.sub(r"[^\w .@+=-]", "_", id)
    name = re.sub(r"^[.\-\s]+|[.\s]+$", "_", name)[:_LONGEST_NAME]
    if name == id and name and name != "gradebook.csv":
        return name
    return f"{name}-{hashlib.sha256(id.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}"


def _check_places(path: Path, folder: Path) -> None:
    if not path.exists():
        raise UsageError(f"there is no submission at {path}")
    if path.is_dir() and folder.resolve().is_relative_to(path.resolve()):
        raise UsageError(f"the results would be written into the submission {path}; name another folder with --out")


def _discover(path: Path, assignment: Assignment, id: str) -> None:
    from pytest_mpgrade.submission import discover

    discover(path, assignment, id)


def _record(shown: Submission, assignment: Assignment, folder: Path, status: Status, reason: str) -> Grading:
    return _keep(_report(shown, assignment, status, reason), folder)


def _report(shown: Submission, assignment: Assignment, status: Status, reason: str) -> ResultFile:
    """Return a result without any check."""
    report = Report(
        assignment=assignment.name,
        submission=shown,
        status=status,
        reason=reason,
        criteria=assignment.criteria,
        containment={"level": "not run", "missing": []},
        environment=_environment(),
        started=datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
    return result_json.as_result(report)


def _keep(result: ResultFile, folder: Path) -> Grading:
    try:
        result_json.write(result, folder / RESULT)
    except OSError as error:
        raise UsageError(f"cannot write {folder / RESULT}: {error.strerror}") from error
    return Grading(result=result, folder=folder)


def _environment() -> dict[str, object]:
    cpus = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    return {"python": platform.python_version(), "platform": sys.platform, "cpus": cpus, "mpgrade": __version__}


def _command(path: Path, assignment: Assignment, folder: Path, id: str, options: Options) -> list[str]:
    whole = folder.resolve()
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", "--tb=short", "--color=no"]
    command += ["-p", "no:cacheprovider", "-p", "pytest_mpgrade.plugin", "-c", str(_INI)]
    command += ["--rootdir", str(Path(assignment.folder).resolve()), f"--basetemp={whole / 'tmp'}"]
    command += ["--mpgrade", str(Path(assignment.folder).resolve()), f"--mpgrade-submission={path.resolve()}"]
    command += [f"--mpgrade-id={id}", f"--mpgrade-out={whole}", f"--mpgrade-observer={options.observer}"]
    return command + ([f"-k={options.keyword}"] if options.keyword else [])


def _variables(submission: Path) -> dict[str, str]:
    """Return the environment of a grading: nothing in it may change a verdict from one machine to the next."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    # A relative entry would mean another folder from now on, and one of the student's would reach the grader.
    paths = [entry for entry in kept.pop("PYTHONPATH", "").split(os.pathsep) if os.path.isabs(entry)]
    paths = [entry for entry in paths if not Path(entry).resolve().is_relative_to(submission.resolve())]
    home = Path(__file__).resolve().parent.parent
    if home.name not in ("site-packages", "dist-packages"):
        paths.append(str(home))
    return {
        **kept,
        **({"PYTHONPATH": os.pathsep.join(paths)} if paths else {}),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }


def _run(command: list[str], submission: Path, folder: Path, seconds: float) -> str:
    """Run the grading to its end; return in words how it ended where that was not by itself."""
    with _signals_held() as release:
        process = _start(command, submission, folder)
        try:
            release()
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            return f"the grading took longer than {seconds:g} s, its time limit, and was ended"
        finally:
            _end(process)
            shutil.rmtree(folder / "tmp", ignore_errors=True)
    # 0 and 1 are pytest's own: all tests passed, some failed.
    return "" if code in (0, 1) else f"the grading ended early ({exit_words(code)}); {_last_words(folder / LOG)}"


@contextlib.contextmanager
def _signals_held() -> Iterator[Callable[[], None]]:
    """Hold signals back until `release` is called: one that comes in a start would leave a process nobody knows of."""
    if sys.platform == "win32":
        yield lambda: None
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    try:
        yield lambda: _set_mask(before)
    finally:
        _set_mask(before)


def _set_mask(signals: Iterable[int]) -> None:
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_SETMASK, signals)


def _start(command: list[str], submission: Path, folder: Path) -> subprocess.Popen[bytes]:
    # Python puts the folder it is started in on sys.path: never the submission, or a student's file could be imported.
    with open(folder / LOG, "wb") as log:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=_variables(submission),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_child_setup(),
        )


def _child_setup() -> Callable[[], None] | None:
    """Return what the grading's process does first: listen to signals, and end when we are killed (Linux).

    The kernel watches the thread that starts the process: an executor's thread has to wait for its grading.
    """
    if sys.platform == "win32":
        return None
    libc, parent = ctypes.CDLL(None), os.getpid()

    def setup() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background jobs inherit it ignored
        _set_mask(())
        if sys.platform == "linux":
            libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return setup


def _end(process: subprocess.Popen[bytes]) -> None:
    """End what is left of a grading: politely first, so that it ends its own processes and keeps its result."""
    try:
        if process.poll() is None:
            if sys.platform == "win32":
                process.terminate()
            else:
                process.send_signal(signal.SIGINT)
            process.wait(GRACE)
    except subprocess.TimeoutExpired:
        pass
    finally:
        _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        process.kill()
    else:
        # Also where it has ended by itself: its group holds nothing but what it started and left.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _finish(shown: Submission, assignment: Assignment, folder: Path, ended: str) -> Grading:
    """Read the result back, and say in it why it is not a final one where it is not."""
    try:
        result = result_json.read(folder / RESULT)
    except UsageError as error:
        return _record(shown, assignment, folder, Status.ERROR, str(error))
    reason = result.reason
    if result.status is Status.ERROR and (ended or reason == NOT_YET):
        reason = ended or f"the grading ended without a result; {_last_words(folder / LOG)}"
    # The grading was given a whole path; the result names it as the user did.
    part = dataclasses.replace(result.submission, path=one_line(shown.path))
    return _keep(dataclasses.replace(result, reason=reason, submission=part), folder)


def _last_words(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").splitlines() if log.exists() else []
    last = next((line for line in reversed(lines) if line.strip()), "it is empty")
    return f"see {log.name}: {one_line(last)[:200]}"
