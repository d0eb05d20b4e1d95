"""Grade one submission on a node: the contract that all engines share. Standard library only.

`run_one` returns at once if the result exists. Otherwise it logs the attempt, runs the grading in a
process of its own, and keeps the result unless another attempt was first. So nothing is lost and
nothing counts twice when an engine runs a spec twice, loses a node, or is killed. To resume, run
again.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from pytest_mpgrade import __version__
from pytest_mpgrade.batch.cluster import bundle
from pytest_mpgrade.batch.cluster.spec import GradingSpec
from pytest_mpgrade.batch.cluster.store import Store
from pytest_mpgrade.records import RESULT_FILE

LOG, PROBLEM, NODE = "node.log", "problem.txt", "node.json"
MARGIN = 300.0
"""Seconds over its own time limit after which a grading is ended.

Within them it may have to wait for free cores, or for the timing of another grading.
"""
GRACE = 30.0
"""How many seconds a grading has to end the processes that it has started."""
_PERIOD = 0.2
"""Seconds between two looks whether the batch still wants the result."""


class CancelledError(Exception):
    """The engine has cancelled this grading."""


def run_one(spec: GradingSpec, cancelled: Callable[[], bool] = lambda: False) -> bytes:
    """Return the files of a submission's results.

    *cancelled* is called several times a second. When it returns true, the grading is ended, and
    CancelledError raised. Any other failure is described in the files.
    """
    # If the node cannot see our folder, the machine that sent the spec stores the result.
    store = (
        Store(Path(spec.store)) if spec.store and Path(spec.store, "attempts").is_dir() else None
    )
    if store is None:
        return _attempt(spec, cancelled)[0]
    if found := store.final(spec.key):
        return found
    with store.attempt(spec.key, alone=spec.alone):
        data, whole = _attempt(spec, cancelled)
    if whole:
        return store.commit(spec.key, data)
    store.keep_broken(spec.key, data)
    return data


def _attempt(spec: GradingSpec, cancelled: Callable[[], bool]) -> tuple[bytes, bool]:
    """Return the files of one grading, and whether they hold a result that counts."""
    with TemporaryDirectory(prefix="mpgrade-", ignore_cleanup_errors=True) as scratch:
        place = Path(scratch)
        # The user that runs student code must reach the submission, and nothing else.
        place.chmod(0o711)
        for name in ("out", "tmp"):
            (place / name).mkdir(0o711)
        problem = _grade(spec, place, cancelled)
        folder = next(
            (each for each in (place / "out").iterdir() if each.is_dir()), place / "out" / "none"
        )
        folder.mkdir(exist_ok=True)
        (folder / NODE).write_text(json.dumps({"host": socket.gethostname()}))
        if problem:
            (folder / PROBLEM).write_text(f"on {socket.gethostname()}: {problem}", "utf-8")
        return bundle.pack({".": folder}), _is_whole(folder)


def _is_whole(folder: Path) -> bool:
    """Tell whether a folder has a result that counts: one whose status is not "error"."""
    try:
        return bool(json.loads((folder / RESULT_FILE).read_bytes())["status"] != "error")
    except (OSError, ValueError, KeyError):
        return False


def _grade(spec: GradingSpec, place: Path, cancelled: Callable[[], bool]) -> str:
    """Grade the submission; return why that failed, or ""."""
    if spec.version != __version__:
        return (
            f"this node has mpgrade {__version__}, not {spec.version}: install the same version on"
            " all nodes"
        )
    try:
        bundle.unpack_bundle(spec.files, place / "files")
    except Exception as error:
        return f"the files of the submission did not arrive: {error}"
    (place / "files" / "assignment").chmod(0o700)
    _open_to_all(place / "files" / spec.submission)
    command = [sys.executable, "-m", "pytest_mpgrade.batch.cluster.lifeline"]
    command += [str(os.getpid()), str(place), str(spec.cores), "grade"]
    command += [
        str(place / "files" / spec.submission),
        "--assignment",
        str(place / "files" / "assignment"),
    ]
    command += ["--out", str(place / "out"), f"--id={spec.id}", *spec.options]
    # Temporary files of a killed grading are removed with the folder.
    variables = {**os.environ, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(place / "tmp"))}
    with open(place / LOG, "wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=place, env=variables
        )
    with _ended(process):
        deadline = time.monotonic() + spec.seconds + MARGIN
        while (code := process.poll()) is None:
            if cancelled():
                raise CancelledError
            if time.monotonic() > deadline:
                return f"the grading took longer than {spec.seconds + MARGIN:g} s and was ended"
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_PERIOD)
    return "" if code in (0, 1, 3) else f"the grading ended with {code}: {_last_line(place / LOG)}"


def _open_to_all(submission: Path) -> None:
    """Make the submission readable for the user that runs student code, whatever our umask is."""
    for path in (submission.parent.parent, submission.parent, submission, *submission.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


@contextlib.contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """End a grading that still runs by closing its standard input, its life-line.

    The kernel closes it, too, when we are killed.
    """
    try:
        yield
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _last_line(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").splitlines()
    return next((line for line in reversed(lines) if line.strip()), "it printed nothing")[:300]
