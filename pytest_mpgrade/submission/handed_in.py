"""Files that students handed in, as the grader itself lists, reads and copies them, with no
isolation around it.

A student decides what lies there: links to the teacher's files, pipes that block whoever opens
them, devices that never end, folders that nobody may read. Every reader of such files outside of a
sandbox goes through this module. A link is followed to another file of the same submission only;
what is written is always a new file, never through a link.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pytest_mpgrade.errors import UngradableError
from pytest_mpgrade.system.ignored_names import IGNORED

MOST_FILES, DEEPEST = 20_000, 100
MOST_COPIED = 500_000_000
"""Bytes of one submission; a file with a hole in it may claim any size."""
_TOO_MUCH = f"there are more than {MOST_COPIED // 1_000_000} MB"
_PIECE = 1 << 20
NO_FILE = "is no file that can be read"
LEADS_OUT = "is a link that leads out of the submission"
_TO_A_FOLDER = "is a link to a folder, which is not followed"
NAME_ERRORS = frozenset(
    (
        errno.ENAMETOOLONG,
        errno.EILSEQ,
        errno.EINVAL,
        errno.ENOTDIR,
        errno.EISDIR,
        errno.EEXIST,
        errno.ELOOP,
    )
)
"""Why a file cannot be written that lies in its name, and not in our disk: too long, or a folder is
called so.
"""
_PLAINLY = sum(
    getattr(os, f"O_{name}", 0) for name in ("NOFOLLOW", "NONBLOCK", "NOCTTY", "CLOEXEC", "BINARY")
)


@dataclass(frozen=True, kw_only=True)
class File:
    """A file as it lies in a submission; it has not been opened."""

    path: Path
    name: str  # below the submission's folder, with slashes
    size: int  # in bytes; 0 where there is a fault
    fault: str = ""  # why it is not looked into, as the end of a sentence


def files(root: Path, closed: Callable[[OSError], object] | None = None) -> Iterator[File]:
    """Yield all files below a folder that are a student's own, or the one that *root* is.

    Virtual environments, and what is hidden or made by a machine, are no student's own. *closed* is
    called with the error of each folder that cannot be read. Links to folders are not entered.
    Raises UngradableError where there are more than 20,000 files, or over 100 folders in each
    other.
    """
    if not os.path.isdir(root):
        yield look_at_file(root)
        return
    top = Path(os.path.realpath(root))
    count = 0
    for folder, below, names in os.walk(root, onerror=closed):
        below[:] = [name for name in below if not _is_no_part(folder, name)]
        names = [name for name in names if not name.startswith(".")]
        count += len(names) + len(below)
        if count > MOST_FILES or len(Path(folder).parts) - len(root.parts) > DEEPEST:
            raise UngradableError(
                f"the submission has more than {MOST_FILES} files or {DEEPEST} folders in each"
                " other"
            )
        links = [name for name in below if os.path.islink(os.path.join(folder, name))]
        for path in (Path(folder, name) for name in (*names, *links)):
            yield _look(path, path.relative_to(root).as_posix(), top)


def _is_no_part(folder: str, name: str) -> bool:
    return name.startswith(".") or name in IGNORED or os.path.exists(f"{folder}/{name}/pyvenv.cfg")


def look_at_file(path: Path) -> File:
    """Look at a file that was named by whoever grades, who may name it by a link."""
    return _look(path, path.name, None)


def _look(path: Path, name: str, top: Path | None) -> File:
    if top and leads_out(path, top):
        return File(path=path, name=name, size=0, fault=LEADS_OUT)
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return File(path=path, name=name, size=0, fault=NO_FILE)
    if not stat.S_ISREG(status.st_mode):
        return File(
            path=path,
            name=name,
            size=0,
            fault=_TO_A_FOLDER if stat.S_ISDIR(status.st_mode) else NO_FILE,
        )
    return File(path=path, name=name, size=status.st_size)


def is_closed(folder: Path) -> bool:
    """Tell whether we may not look into a folder."""
    try:
        os.scandir(folder).close()
    except OSError:
        return True
    return False


def leads_out(path: Path, top: Path) -> bool:
    """Tell whether *path* is, or lies behind, a link to somewhere that is not below *top*."""
    return not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(top))


def opened(path: Path) -> BinaryIO:
    """Open a plain file for reading: at once, and only if it is one.

    Raises OSError. A pipe that has taken the file's place since it was looked at does not block.
    """
    file = os.fdopen(os.open(os.path.realpath(path), os.O_RDONLY | _PLAINLY), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, NO_FILE, str(path))
    return file


def content(path: Path, most: int) -> bytes:
    """Return what a plain file holds, up to *most* bytes, also of one that grows meanwhile.

    Raises OSError.
    """
    parts: list[bytes] = []
    with opened(path) as file:
        # Piece by piece: a buffer for *most* bytes would be made at once.
        while most > 0 and (part := file.read(min(most, _PIECE))):
            parts.append(part)
            most -= len(part)
    return b"".join(parts)


def created(root: Path, name: str) -> BinaryIO:
    """Open a new file below *root* for writing, in place of one that is there. Raises OSError.

    *name* has slashes; folders that are missing are made. No link is followed on the way: each
    folder is opened from the one before it, which holds even where somebody changes the tree
    meanwhile.
    """
    *folders, last = name.split("/")
    if {"", ".", ".."} & {*folders, last}:
        raise OSError(errno.EINVAL, "is no name of a file below a folder", name)
    if not {os.open, os.mkdir, os.unlink} <= os.supports_dir_fd:
        return _created_by_path(root, folders, last)
    place = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for folder in folders:
            try:
                os.mkdir(folder, dir_fd=place)
            except FileExistsError:
                pass
            below = os.open(
                folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=place
            )
            os.close(place)
            place = below
        try:
            # A new file each time: the old one could be a hard link to somebody else's.
            os.unlink(last, dir_fd=place)
        except FileNotFoundError:
            pass
        return os.fdopen(
            os.open(last, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _PLAINLY, 0o666, dir_fd=place),
            "wb",
        )
    finally:
        os.close(place)


def _created_by_path(root: Path, folders: list[str], last: str) -> BinaryIO:
    """Windows opens nothing from a folder that is open: there the way is looked at before it is
    gone.
    """
    place = root.joinpath(*folders)
    place.mkdir(parents=True, exist_ok=True)
    if leads_out(place, root):
        raise OSError(errno.ELOOP, LEADS_OUT, str(place))
    (place / last).unlink(missing_ok=True)
    return open(place / last, "xb")


def copy(root: Path, into: Path) -> list[str]:
    """Copy the plain files below a folder to *into*; return what was left out, with why.

    A link to another file of the folder becomes a copy of that file. Raises UngradableError, see
    `files`, and OSError where it is our disk that fails, and not their files.
    """
    left_out: list[str] = []
    room = MOST_COPIED
    for file in files(
        root,
        closed=lambda error: left_out.append(f"{Path(error.filename).name} ({error.strerror})"),
    ):
        if file.fault:
            left_out.append(f"{file.name} {file.fault}")
        elif file.size > room:
            left_out.append(f"{file.name} ({_TOO_MUCH})")
        elif fault := copy_file(file.path, into, file.name):
            left_out.append(f"{file.name} ({fault})")
        else:
            room -= file.size
    return left_out


def copy_file(path: Path, into: Path, name: str) -> str:
    """Copy a plain file to *name* below *into*; return why that cannot be, or "".

    Raises OSError where it is our disk that fails.
    """
    try:
        source = opened(path)
    except OSError as error:
        return error.strerror or str(error)
    into.mkdir(parents=True, exist_ok=True)
    with source:
        if os.fstat(source.fileno()).st_size > MOST_COPIED:
            return _TOO_MUCH
        try:
            with created(into, name) as target:
                shutil.copyfileobj(source, target)
        except OSError as error:
            if error.errno not in NAME_ERRORS:
                raise
            return error.strerror or str(error)
    return ""
