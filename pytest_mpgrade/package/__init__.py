"""Pack an assignment for a course system that grades by itself.

The archive has mpgrade as a wheel, one assignment, and the scripts that start a grading. Called by
`mpgrade package`. The scripts beside this file go into the archive unchanged except for two
settings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_mpgrade.course.assignment import reference_folder
from pytest_mpgrade.course.document import NOTEBOOK
from pytest_mpgrade.course.packages import installed_as
from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.package import wheel
from pytest_mpgrade.records import Assignment
from pytest_mpgrade.system.ignored_names import IGNORED
from pytest_mpgrade.system.zip_files import write_zip

_LEFT_OUT = ("starter", "wrong", "designs", "reference")
"""Parts of an assignment's folder that are left out; the reference is packed from where it lies."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A course system for which assignments can be packed."""

    scripts: tuple[str, ...]
    deadline: int  # seconds, below the system's own limit
    next_step: str


KINDS: Mapping[str, Kind] = {
    "gradescope": Kind(
        scripts=("setup.sh", "run_autograder"),
        deadline=540,
        next_step="upload it under Configure Autograder, with Ubuntu 22.04 or newer as base image",
    ),
    "classroom50": Kind(
        scripts=("autograder.py",),
        deadline=720,
        next_step="unpack it into CLASSROOM/autograders/ASSIGNMENT",
    ),
}
"""The course systems by the names that users give.

By default, Gradescope ends a grading after 10 min, and Classroom 50 after 15 min.
"""


def write_archive(
    kind: str,
    assignment: Assignment,
    out: Path,
    *,
    wheel_file: Path | None,
    extras: Sequence[str],
    deadline: float,
) -> None:
    """Write the archive.

    Raises UsageError where there is no wheel, and where *out* cannot be written.
    """
    chosen = KINDS[kind]
    wanted = dict.fromkeys(
        ["stacks", *extras, *(["notebook"] if assignment.module.endswith(NOTEBOOK) else [])]
    )
    settings = {"deadline": f"{deadline or chosen.deadline:g}", "extras": f'"{",".join(wanted)}"'}
    settings["packages"] = f'"{" ".join(map(installed_as, assignment.environment.packages))}"'
    members = {
        name: _set(Path(__file__).with_name(name).read_text("utf-8"), settings).encode()
        for name in chosen.scripts
    }
    name, data = _wheel(wheel_file)
    members[name] = data
    members |= {f"assignment/{name}": path.read_bytes() for path, name in _files(assignment)}
    write_zip(members, out, executable=chosen.scripts)


def _set(text: str, settings: Mapping[str, str]) -> str:
    """Replace the lines of a script, in shell or Python, that assign the settings."""
    for name, value in settings.items():
        text = re.sub(rf"(?im)^({name} ?= ?)\S*", rf"\g<1>{value}", text)
    return text


def _wheel(given: Path | None) -> tuple[str, bytes]:
    if given is None:
        return wheel.build()
    if not re.fullmatch(r"pytest_mpgrade-.+\.whl", given.name):
        raise UsageError(
            f"{given} is not a wheel of mpgrade: its name has to be pytest_mpgrade-….whl"
        )
    return given.name, given.read_bytes()


def _files(assignment: Assignment) -> Iterator[tuple[Path, str]]:
    """Yield the files of an assignment that are packed, with their names in the archive."""
    folder = Path(assignment.folder)
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and name.parts[0] not in _LEFT_OUT and IGNORED.isdisjoint(name.parts):
            yield path, name.as_posix()
    trusted = reference_folder(assignment)
    for path in sorted(trusted.rglob("*")) if trusted else ():
        if path.is_file() and IGNORED.isdisjoint(path.parts):
            yield path, f"reference/{path.relative_to(trusted or path).as_posix()}"
