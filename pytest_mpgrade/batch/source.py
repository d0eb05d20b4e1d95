"""Where a batch comes from: a folder, or a course system's download, becomes jobs and a report of what became of what.

Nothing is dropped silently: every entry of a download, and every student of a roster, has a line in the mapping.
"""

from __future__ import annotations

import csv
import hashlib
import io
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_mpgrade.batch import Job, archives, folder
from pytest_mpgrade.batch.layouts import LAYOUTS, Found, recognise
from pytest_mpgrade.batch.layouts.entry import Entry
from pytest_mpgrade.batch.roster import Student
from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.grade import folder_name
from pytest_mpgrade.report import atomic

UNPACKED, COLLECTED, MAPPING = ".unpacked", ".submissions", "mapping.csv"
PLAIN = "plain"
_NOT_GRADED = {"text": "an online text", "link": "a link", "comment": "a comment"}
_HUGE = 100_000_000


@dataclass(frozen=True, kw_only=True)
class Mapped:
    """What became of one entry of a source, or of one student of a roster."""

    submission: str
    source: str
    what: str  # "graded", or why not
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Source:
    """What there is to grade."""

    layout: str
    jobs: tuple[Job, ...]
    mapping: tuple[Mapped, ...]
    keys: Mapping[str, tuple[str, ...]]  # by which a course system knows each submission's student
    handed_in: Mapping[str, str]  # when, for each submission of which that is known
    marked_late: frozenset[str]  # submissions that the course system calls late
    students: tuple[Student, ...]  # of the roster

    def left_out(self) -> list[Mapped]:
        """Return what is not graded."""
        return [each for each in self.mapping if each.what != "graded"]


def load(source: Path, out: Path, *, layout: str = "auto", roster: Sequence[Student] = ()) -> Source:
    """Read a source; what has to be unpacked or copied for that goes below *out*.

    Raises UsageError where there is nothing to grade, an archive is broken, or it is not of the *layout* asked for.
    """
    root, left_out = source, []
    if archives.is_archive(source):
        root = out / UNPACKED
        archives.clear(root)
        left_out = [Mapped(submission="", source=name, what="left out") for name in archives.unpack(source, root)]
        root = _inner(root)
    found = _found(root, layout)
    read = _plain(root, out) if found is None else _collected(found, root, out / COLLECTED)
    students, jobs, mapping = read
    mapping = [*mapping, *left_out, *(_missing(roster, students) if roster else ())]
    if not jobs:
        raise UsageError(f"there is nothing to grade in {source}")
    _keep(mapping, out / MAPPING)
    return Source(
        layout=found.layout if found else PLAIN, jobs=tuple(jobs), mapping=tuple(mapping), keys=students,
        handed_in=_times(found.entries if found else ()), students=tuple(roster),
        marked_late=frozenset(entry.student for entry in _graded(found.entries if found else ()) if entry.late),
    )  # fmt: skip


def _graded(entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries of everybody's newest attempt."""
    mine: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.kind not in _NOT_GRADED:
            mine[entry.student].append(entry)
    return [entry for each in mine.values() for entry in each if _is_newest(entry, each)]


def _times(entries: Sequence[Entry]) -> dict[str, str]:
    return {entry.student: entry.when for entry in _graded(entries) if entry.when}


def _inner(root: Path) -> Path:
    """Many archives have one folder around everything."""
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
    jobs, left_out = folder.jobs(root, out)
    mapping = [Mapped(submission=job.id, source=job.path.name, what="graded") for job in jobs]
    for place, job in enumerate(jobs):
        if archives.is_archive(job.path):
            target = out / COLLECTED / job.folder
            archives.clear(target)
            note = "; ".join(archives.unpack_theirs(job.path, target))
            jobs[place] = replace(job, path=_inner(target))
            mapping[place] = replace(mapping[place], note=f"left out: {note}" if note else "")
    mapping += [Mapped(submission="", source=name, what="neither a folder nor a module") for name in left_out]
    return {job.id: () for job in jobs}, jobs, _with_duplicates(jobs, mapping)


def _collected(found: Found, root: Path, into: Path) -> _Read:
    """Put together what each student has handed in: the newest attempt, under the names that the files had."""
    archives.clear(into)
    grouped: dict[str, list[Entry]] = defaultdict(list)
    for entry in found.entries:
        grouped[entry.student].append(entry)
    jobs, mapping = [], []
    for student in sorted(grouped):
        target = into / folder_name(student)
        target.mkdir()
        mapping += list(_student(grouped[student], root, target))
        whole = [each.path for each in grouped[student] if each.kind == "folder" and _is_newest(each, grouped[student])]
        path = whole[0] if len(whole) == 1 and not any(target.iterdir()) else target
        jobs.append(Job(id=student, path=path, folder=folder_name(student)))
    known = {entry.path for entry in found.entries} | {entry.path.parent for entry in found.entries}
    others = [child for child in sorted(root.iterdir()) if child not in known and not child.name.startswith(".")]
    strange = [child for child in others if not any(child in path.parents for path in known)]
    mapping += [Mapped(submission="", source=child.name, what="not named as the others are") for child in strange]
    keys = {student: tuple(key for each in mine for key in each.keys) for student, mine in grouped.items()}
    return keys, jobs, _with_duplicates(jobs, mapping)


def _is_newest(entry: Entry, mine: Sequence[Entry]) -> bool:
    graded = [each for each in mine if each.kind in ("file", "folder")]
    return entry.attempt == max(each.attempt for each in graded)


def _student(mine: Sequence[Entry], root: Path, target: Path) -> Iterator[Mapped]:
    """Copy one student's files into a folder, archives unpacked; a file that came later replaces an earlier one."""
    for entry in sorted(mine, key=lambda each: (each.order, str(each.path))):
        line = Mapped(
            submission=entry.student, source=entry.path.relative_to(root).as_posix(), what="graded",
            note="late" * entry.late,
        )  # fmt: skip
        if entry.kind in _NOT_GRADED:
            yield replace(line, what=f"{_NOT_GRADED[entry.kind]}, which is not graded")
        elif not _is_newest(entry, mine):
            yield replace(line, what="an older attempt")
        elif entry.kind == "folder":
            yield from _folder(entry, line, target)
        elif archives.is_archive(entry.path):
            left = archives.unpack_theirs(entry.path, target)
            yield replace(line, note="; ".join(filter(None, [line.note, *left])))
        else:
            later = [e for e in mine if e.name == entry.name and e.order > entry.order and e.kind == "file"]
            if later:
                yield replace(line, what="replaced by a later file of the same name")
                continue
            shutil.copyfile(entry.path, target / entry.name)
            yield line


def _folder(entry: Entry, line: Mapped, target: Path) -> Iterator[Mapped]:
    """A folder is graded where it lies, unless archives in it have to be unpacked."""
    packed = [path for path in entry.path.rglob("*") if archives.is_archive(path)]
    if packed:
        shutil.copytree(entry.path, target, dirs_exist_ok=True, symlinks=True)
    left = [words for path in packed for words in archives.unpack_theirs(path, target)]
    unpacked = [f"{path.name} was unpacked" for path in packed]
    yield replace(line, note="; ".join(filter(None, [line.note, *unpacked, *left])))


def _with_duplicates(jobs: Sequence[Job], mapping: Sequence[Mapped]) -> list[Mapped]:
    """Note which submissions hold the same files."""
    alike: dict[str, list[str]] = defaultdict(list)
    for job in jobs:
        alike[_digest(job.path)].append(job.id)
    same = {one: [other for other in ids if other != one] for ids in alike.values() if len(ids) > 1 for one in ids}

    def noted(line: Mapped) -> Mapped:
        if line.what != "graded" or line.submission not in same:
            return line
        words = f"the same files as {', '.join(same[line.submission])}"
        return replace(line, note="; ".join(filter(None, [line.note, words])))

    return list(map(noted, mapping))


def _digest(path: Path) -> str:
    """Return a hash of all files' contents; an empty submission is like no other."""
    files = sorted(each for each in (path.rglob("*") if path.is_dir() else [path]) if each.is_file())
    plain = [each for each in files if ".git" not in each.parts and not each.is_symlink()]
    parts = sorted(hashlib.sha256(each.read_bytes()).hexdigest() for each in plain if each.stat().st_size < _HUGE)
    return hashlib.sha256("".join(parts).encode()).hexdigest() if parts else str(path)


def _missing(roster: Sequence[Student], students: Mapping[str, tuple[str, ...]]) -> Iterator[Mapped]:
    """Tell who of a roster handed in nothing, and who is not in it."""
    known = {student: frozenset((student, *keys)) for student, keys in students.items()}
    everybody = frozenset(key for keys in known.values() for key in keys)
    for each in roster:
        if not each.is_one_of(everybody):
            source = ", ".join(cell for cell in each.cells if cell)
            yield Mapped(submission="", source=source, what="handed in nothing")
    listed = {cell for each in roster for cell in each.cells}
    for student, keys in known.items():
        if keys.isdisjoint(listed):
            yield Mapped(submission=student, source="", what="not in the roster", note="graded all the same")


def _keep(mapping: Iterable[Mapped], path: Path) -> None:
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["submission", "source", "what", "note"])
    writer.writerows((each.submission, each.source, each.what, each.note) for each in mapping)
    try:
        atomic.write_bytes(table.getvalue().encode("utf-8", "surrogateescape"), path)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
