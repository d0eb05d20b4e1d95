"""Read the source of a batch, a folder or a course system's download, into jobs and a mapping.

Nothing is dropped silently: every entry of a download, and every student of a roster, has a line in
the mapping.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_mpgrade.batch import archives
from pytest_mpgrade.batch.job import Job
from pytest_mpgrade.batch.layouts import LAYOUTS, Found, plain, recognise
from pytest_mpgrade.batch.layouts.entry import LayoutEntry
from pytest_mpgrade.batch.mapping import (
    BROKEN,
    GRADED,
    MAPPING,
    Mapped,
    missing_lines,
    with_results,
    write_mapping,
)
from pytest_mpgrade.batch.roster import RosterRow
from pytest_mpgrade.errors import UngradableError, UsageError
from pytest_mpgrade.grade.grading import folder_name
from pytest_mpgrade.submission import handed_in

UNPACKED, COLLECTED = ".unpacked", ".submissions"
PLAIN = "plain"
_NOT_GRADED = {"text": "an online text", "link": "a link", "comment": "a comment"}
_HUGE = 100_000_000
"""Bytes of a file that is compared with others by its content. To read a larger one from each of
two submissions would take longer than to grade both.
"""


@dataclass(frozen=True, kw_only=True)
class BatchSource:
    """The submissions of a batch, and what the course system says about them."""

    layout: str
    jobs: tuple[Job, ...]
    mapping: tuple[Mapped, ...]
    keys: Mapping[str, tuple[str, ...]]  # the course system's names of each student
    handed_in: Mapping[str, str]  # time of handing in, where it is known
    marked_late: frozenset[str]  # submissions that the course system marks as late
    students: tuple[RosterRow, ...]  # all rows of the roster

    def left_out(self) -> list[Mapped]:
        """Return the lines of all that is not graded."""
        return [each for each in self.mapping if each.what != GRADED]


def load_source(
    source: Path, out: Path, *, layout: str = "auto", roster: Sequence[RosterRow] = ()
) -> BatchSource:
    """Read a source; unpacked and copied files go below *out*.

    Raises UsageError where there is nothing to grade, an archive is broken, or the source does not
    have the *layout* asked for.
    """
    root, left_out = source, []
    if archives.is_archive(source):
        root = out / UNPACKED
        archives.clear(root)
        left_out = [
            Mapped(submission="", source=name, what="left out")
            for name in archives.unpack_archive(source, root)
        ]
        root = _inner(root)
    download = _found(root, layout)
    read = _plain(root, out) if download is None else _collected(download, root, out / COLLECTED)
    students, jobs, mapping = read
    mapping = [*mapping, *left_out, *(missing_lines(roster, students) if roster else ())]
    if not jobs:
        raise UsageError(f"there is nothing to grade in {source}")
    write_mapping(with_results(mapping, {}), out / MAPPING)
    return BatchSource(
        layout=download.layout if download else PLAIN,
        jobs=tuple(jobs),
        mapping=tuple(mapping),
        keys=students,
        handed_in=_times(download.entries if download else ()),
        students=tuple(roster),
        marked_late=frozenset(
            entry.student for entry in _graded(download.entries if download else ()) if entry.late
        ),
    )


def _graded(entries: Sequence[LayoutEntry]) -> list[LayoutEntry]:
    """Return the entries of the newest attempt of every student."""
    mine: dict[str, list[LayoutEntry]] = defaultdict(list)
    for entry in entries:
        if entry.kind not in _NOT_GRADED:
            mine[entry.student].append(entry)
    return [entry for each in mine.values() for entry in each if _is_newest(entry, each)]


def _times(entries: Sequence[LayoutEntry]) -> dict[str, str]:
    return {entry.student: entry.when for entry in _graded(entries) if entry.when}


def _inner(root: Path) -> Path:
    """Return the only folder in *root* if it has no other child: many archives are made so."""
    children = [child for child in root.iterdir() if not child.name.startswith(".")]
    return children[0] if len(children) == 1 and children[0].is_dir() else root


def _found(root: Path, layout: str) -> Found | None:
    if not root.is_dir():
        raise UsageError(f"there is no folder or archive {root}")
    if layout == PLAIN:
        return None
    if layout == "auto":
        return recognise(root)
    entries = tuple(LAYOUTS[layout](root))
    if not entries:
        raise UsageError(f"nothing in {root} is named as {layout} names it")
    return Found(layout=layout, entries=entries)


_Read = tuple["dict[str, tuple[str, ...]]", "list[Job]", "list[Mapped]"]


def _plain(root: Path, out: Path) -> _Read:
    """Take each folder, module or archive in a folder as one submission."""
    jobs, left_out = plain.jobs(root, out)
    mapping = [Mapped(submission=job.id, source=job.path.name, what=GRADED) for job in jobs]
    for place, job in enumerate(jobs):
        if archives.is_archive(job.path):
            target = out / COLLECTED / job.folder
            archives.clear(target)
            mapping[place] = _unpacked(mapping[place], archives.unpack_theirs(job.path, target))
            jobs[place] = replace(job, path=_inner(target))
    mapping += [Mapped(submission="", source=name, what=why) for name, why in left_out]
    return {job.id: () for job in jobs}, jobs, _looked_at(jobs, mapping)


def _collected(download: Found, root: Path, into: Path) -> _Read:
    """Collect the newest attempt of each student, under the names that the files had."""
    archives.clear(into)
    grouped: dict[str, list[LayoutEntry]] = defaultdict(list)
    for entry in download.entries:
        grouped[entry.student].append(entry)
    jobs, mapping = [], []
    for student in sorted(grouped):
        target = into / folder_name(student)
        target.mkdir()
        mapping += list(_student(grouped[student], root, target))
        newest = [
            each.path
            for each in grouped[student]
            if each.kind == "folder" and _is_newest(each, grouped[student])
        ]
        whole = [path for path in newest if not handed_in.leads_out(path, root)]
        path = whole[0] if len(whole) == 1 and not any(target.iterdir()) else target
        jobs.append(Job(id=student, path=path, folder=folder_name(student)))
    known = {entry.path for entry in download.entries} | {
        entry.path.parent for entry in download.entries
    }
    others = [
        child
        for child in sorted(root.iterdir())
        if child not in known and not child.name.startswith(".")
    ]
    strange = [child for child in others if not any(child in path.parents for path in known)]
    mapping += [
        Mapped(submission="", source=child.name, what="not named as the others are")
        for child in strange
    ]
    keys = {
        student: tuple(key for each in mine for key in each.keys)
        for student, mine in grouped.items()
    }
    return keys, jobs, _looked_at(jobs, mapping)


def _is_newest(entry: LayoutEntry, mine: Sequence[LayoutEntry]) -> bool:
    graded = [each for each in mine if each.kind in ("file", "folder")]
    return entry.attempt == max(each.attempt for each in graded)


def _student(mine: Sequence[LayoutEntry], root: Path, target: Path) -> Iterator[Mapped]:
    """Copy one student's files into a folder, and unpack archives.

    A later file replaces an earlier one of the same name.
    """
    for entry in sorted(mine, key=lambda each: (each.order, str(each.path))):
        line = Mapped(
            submission=entry.student,
            source=entry.path.relative_to(root).as_posix(),
            what=GRADED,
            note="late" * entry.late,
        )
        if handed_in.leads_out(entry.path, root):
            yield replace(line, what=handed_in.LEADS_OUT)
        elif entry.kind in _NOT_GRADED:
            yield replace(line, what=f"{_NOT_GRADED[entry.kind]}, which is not graded")
        elif not _is_newest(entry, mine):
            yield replace(line, what="an older attempt")
        elif entry.kind == "folder":
            yield from _folder(entry, line, target)
        elif archives.is_archive(entry.path):
            yield _unpacked(line, archives.unpack_theirs(entry.path, target))
        elif any(e.name == entry.name and e.order > entry.order and e.kind == "file" for e in mine):
            yield replace(line, what="replaced by a later file of the same name")
        elif fault := handed_in.copy_file(entry.path, target, entry.name):
            yield replace(line, what=f"it cannot be read: {fault}")
        else:
            yield line


def _folder(entry: LayoutEntry, line: Mapped, target: Path) -> Iterator[Mapped]:
    """Yield the line of a folder, which is copied only if archives in it have to be unpacked.

    Other folders are graded where they lie.
    """
    notes: list[str] = []
    with suppress(UngradableError):  # its grading raises it again, and reports it
        packed = [
            file.path for file in handed_in.files(entry.path) if archives.is_archive(file.path)
        ]
        if packed:
            notes += handed_in.copy(entry.path, target)
        for path in packed:
            if not handed_in.leads_out(path, entry.path):
                found = archives.unpack_theirs(path, target)
                if found.broken:
                    yield _unpacked(replace(line, source=f"{line.source}/{path.name}"), found)
                else:
                    notes += [f"{path.name} was unpacked", *found.left_out]
    yield line.noted(*notes)


def _unpacked(line: Mapped, found: archives.Unpacked) -> Mapped:
    """Return the line of an archive, with what became of it."""
    if found.broken:
        return replace(line, what=BROKEN).noted(found.broken)
    return line.noted(*(f"left out: {each}" for each in found.left_out))


def _looked_at(jobs: Sequence[Job], mapping: Sequence[Mapped]) -> list[Mapped]:
    """Add notes on submissions with the same files, and on links that are not followed."""
    alike: dict[str, list[str]] = defaultdict(list)
    links: dict[str, list[str]] = {}
    for job in jobs:
        digest, links[job.id] = _look(job.path)
        alike[digest].append(job.id)
    same = {
        one: [other for other in ids if other != one]
        for ids in alike.values()
        if len(ids) > 1
        for one in ids
    }

    def noted(line: Mapped) -> Mapped:
        if line.what != GRADED:
            return line
        others = same.get(line.submission, [])
        words = [f"the same files as {', '.join(others)}"] if others else []
        known = replace(line, same_as=tuple(others))
        return known.noted(*words, *links.get(line.submission, ()))

    return list(map(noted, mapping))


def _look(path: Path) -> tuple[str, list[str]]:
    """Return a hash of the contents of all files, and the links that lead out of the submission.

    The hash of an empty submission is its path, so that it equals no other.
    """
    parts: list[str] = []
    links: list[str] = []
    try:
        for file in handed_in.files(path):
            if file.fault == handed_in.LEADS_OUT:
                links.append(f"{file.name} {file.fault}")
            elif not file.fault and file.size < _HUGE and not file.path.is_symlink():
                with suppress(OSError):
                    parts.append(hashlib.sha256(handed_in.content(file.path, _HUGE)).hexdigest())
    except UngradableError:  # its grading raises it again, and reports it
        return str(path), links
    return (
        hashlib.sha256("".join(sorted(parts)).encode()).hexdigest() if parts else str(path)
    ), links
