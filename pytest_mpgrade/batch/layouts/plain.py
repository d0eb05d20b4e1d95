"""A folder of submissions: each direct child that is a folder, a module or an archive is one."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pytest_mpgrade.batch import archives
from pytest_mpgrade.batch.job import Job
from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.grade.grading import folder_name
from pytest_mpgrade.submission import handed_in
from pytest_mpgrade.system.ignored_names import IGNORED

_MODULES = frozenset((".py", ".ipynb"))


def jobs(folder: Path, out: Path) -> tuple[list[Job], list[tuple[str, str]]]:
    """Return a job for each submission, sorted by name, and a list of what was left out and why.

    Hidden children, folders that tools make, and *out* itself are left out without a line. Raises
    UsageError where there is no submission.
    """
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}")
    if out.resolve() == folder.resolve():
        raise UsageError(
            f"the results would be mixed with the submissions in {folder}; name another folder with"
            " --out"
        )
    children = sorted(child for child in folder.iterdir() if not _unmentioned(child, out))
    why = {child: _why_not(child, folder) for child in children}
    chosen = [child for child in children if not why[child]]
    left_out = [(child.name, why[child]) for child in children if why[child]]
    if not chosen:
        found = (
            f"; it holds only: {', '.join(name for name, _ in left_out[:5])}" if left_out else ""
        )
        raise UsageError(
            f"no submissions in {folder}: each one is a folder or a .py file in it{found}"
        )
    return _unique(chosen), left_out


def _why_not(child: Path, folder: Path) -> str:
    """Return why a child is no submission, or ""."""
    if not (
        child.is_dir()
        or (child.suffix in _MODULES and os.path.isfile(child))
        or archives.is_archive(child)
    ):
        return "neither a folder nor a module"
    # If students can write into the folder, a link in it could lead to another student's solution.
    if handed_in.leads_out(child, folder) and not _is_ours(child):
        return handed_in.LEADS_OUT
    return ""


def _is_ours(link: Path) -> bool:
    return not hasattr(os, "geteuid") or os.lstat(link).st_uid == os.geteuid()


def _unmentioned(child: Path, out: Path) -> bool:
    return (
        child.name.startswith(".")
        or child.name in IGNORED
        or os.path.realpath(child) == os.path.realpath(out)
    )


def _unique(children: Sequence[Path]) -> list[Job]:
    found = [
        Job(id=id, path=child, folder=folder_name(id))
        for id, child in zip(_ids(children), children, strict=True)
    ]
    folders = Counter(_same(job.folder) for job in found)
    return [job if folders[_same(job.folder)] == 1 else _distinct(job) for job in found]


def _ids(children: Sequence[Path]) -> list[str]:
    """Name a file by its stem, unless two submissions would get the same name."""
    stems = [_stem(child) for child in children]
    counts = Counter(stems)
    mixed = [
        stem if counts[stem] == 1 else child.name
        for stem, child in zip(stems, children, strict=True)
    ]
    return mixed if len(set(mixed)) == len(mixed) else [child.name for child in children]


def _stem(child: Path) -> str:
    if child.is_dir():
        return child.name
    ending = next(
        (suffix for suffix in archives.SUFFIXES if child.name.lower().endswith(suffix)),
        child.suffix,
    )
    return child.name[: -len(ending)]


def _same(name: str) -> str:
    # Some file systems ignore case, or equate composed and decomposed Unicode letters.
    return unicodedata.normalize("NFC", name).casefold()


def _distinct(job: Job) -> Job:
    return Job(
        id=job.id,
        path=job.path,
        folder=f"{job.folder}-{hashlib.sha256(os.fsencode(job.id)).hexdigest()[:8]}",
    )
