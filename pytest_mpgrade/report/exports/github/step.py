"""The files of a step on GitHub Actions: its outputs, its summary, and where its files are."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.records import Criterion
from pytest_mpgrade.report.exports.github import payload, summary
from pytest_mpgrade.report.result_json import ResultFile
from pytest_mpgrade.system import atomic_write

OUTPUT, SUMMARY, WORKSPACE = "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE"
MARK = "<!-- mpgrade -->\n"
"""Our part of a summary begins with it; what an earlier command of the step has written stays."""


def tell_step(
    result: ResultFile, criteria: Sequence[Criterion], variables: Mapping[str, str] = os.environ
) -> None:
    """Leave outputs and summary as they are now; where GitHub names no file for them, nothing.

    Raises UsageError where one of them cannot be written.
    """
    for name, leave in ((OUTPUT, _outputs), (SUMMARY, _summary)):
        if file := variables.get(name):
            try:
                leave(Path(file), result, criteria)
            except OSError as error:
                raise UsageError(f"cannot write {file} (${name}): {error.strerror}") from error


def _outputs(file: Path, result: ResultFile, criteria: Sequence[Criterion]) -> None:
    """Add a line for each output: of several with one name GitHub keeps the last."""
    found = payload.outputs(result, criteria)
    told = "".join(
        f"{name}={base64.b64encode(payload.encoded(body)).decode()}\n"
        for name, body in found.items()
    )
    before = file.read_bytes() if file.exists() else b""
    with file.open("ab") as handle:
        handle.write(b"\n" * (before[-1:] not in (b"", b"\n")) + told.encode())


def _summary(file: Path, result: ResultFile, criteria: Sequence[Criterion]) -> None:
    before = file.read_text("utf-8", "replace") if file.exists() else ""
    kept = before.partition(MARK)[0]
    gap = "" if not kept or kept.endswith("\n\n") else "\n\n"
    atomic_write.write_bytes(
        f"{kept}{gap}{MARK}{summary.render(result, criteria)}".encode("utf-8", "replace"), file
    )


def locate(handed_in: Path, variables: Mapping[str, str] = os.environ) -> Callable[[str], str]:
    """Return a function that finds a submission's file by its name.

    It returns the file's path below the workspace, "" for a file that is not there.
    """
    workspace = Path(variables.get(WORKSPACE) or ".").resolve()
    whole = handed_in.resolve()
    files = [whole] if whole.is_file() else _files(whole)
    nearest = sorted(files, key=lambda path: (len(path.parts), str(path)), reverse=True)
    paths = {
        path.name: path.relative_to(workspace).as_posix()
        for path in nearest
        if path.is_relative_to(workspace)
    }
    return lambda name: paths.get(name, "")


def _files(folder: Path) -> Iterator[Path]:
    for place, below, names in os.walk(folder):
        below[:] = [name for name in below if not name.startswith(".")]
        yield from (Path(place, name) for name in names)
