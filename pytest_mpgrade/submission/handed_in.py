"""List, read and copy files that students handed in, outside of any isolation.

A student decides what is there: links to the teacher's files, pipes that block their reader,
devices that never end, folders without permission. All code outside of a sandbox that reads such
files goes through this module. A link is followed only to another file of the same submission. What
is written is always a new file, never through a link.
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
"""A submission with a whole virtual environment in it has more; paths deeper than the second are
made to break programs.
"""
MOST_COPIED = 500_000_000
"""The most bytes of one submission that are copied; a sparse file may claim any size."""
_TOO_MUCH = f"there are more than {MOST_COPIED // 1_000_000} MB"
_PIECE = 1 << 20
"""Bytes of one read."""
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
"""Errors of writing a file that come from its name, and not from our disk.

For example, the name is too long, or a folder has the same name.
"""
_PLAINLY = sum(
    getattr(os, f"O_{name}", 0) for name in ("NOFOLLOW", "NONBLOCK", "NOCTTY", "CLOEXEC", "BINARY")
)


@dataclass(frozen=True, kw_only=True)
class File:
    """A file of a submission, not opened yet."""

    path: Path
    name: str  # path below the submission's folder, with slashes
    size: int  # in bytes; 0 if there is a fault
    fault: str = ""  # why it is not read, as the end of a sentence


def files(root: Path, closed: Callable[[OSError], object] | None = None) -> Iterator[File]:
    """Yield all files below a folder that are a student's own, or *root* itself if it is a file.

    Hidden files, virtual environments, and what tools make are not a student's own. Links to
    folders are not entered. *closed* is called with the error of each folder that cannot be read.
    Raises UngradableError for more than 20,000 files, or more than 100 nested folders.
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
    """Describe a file that the grader's user has named, perhaps by a link."""
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
    """Tell whether we lack the permission to list a folder."""
    try:
        os.scandir(folder).close()
    except OSError:
        return True
    return False


def leads_out(path: Path, top: Path) -> bool:
    """Tell whether *path*, with all links resolved, is outside of *top*."""
    return not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(top))


def opened(path: Path) -> BinaryIO:
    """Open a plain file for reading, without blocking, and only if it is one.

    Raises OSError. If a pipe has replaced the file since it was listed, opening it does not block.
    """
    file = os.fdopen(os.open(os.path.realpath(path), os.O_RDONLY | _PLAINLY), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, NO_FILE, str(path))
    return file


def content(path: Path, most: int) -> bytes:
    """Return up to *most* bytes of a plain file, even if it grows meanwhile.

    Raises OSError.
    """
    parts: list[bytes] = []
    with opened(path) as file:
        # read(most) would allocate a buffer of *most* bytes at once.
        while most > 0 and (part := file.read(min(most, _PIECE))):
            parts.append(part)
            most -= len(part)
    return b"".join(parts)


def created(root: Path, name: str) -> BinaryIO:
    """Create a file below *root* for writing, in place of one that exists. Raises OSError.

    *name* has slashes; missing folders are made. No link is followed on the way: each folder is
    opened relative to the one before it. This is safe even if another process changes the tree
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
            # Always make a new file: the old one could be a hard link to another student's.
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
    """Create a file by its path, where the system cannot open one relative to a folder (Windows).

    The path is checked for links before it is used.
    """
    place = root.joinpath(*folders)
    place.mkdir(parents=True, exist_ok=True)
    if leads_out(place, root):
        raise OSError(errno.ELOOP, LEADS_OUT, str(place))
    (place / last).unlink(missing_ok=True)
    return open(place / last, "xb")


def copy(root: Path, into: Path) -> list[str]:
    """Copy the plain files below a folder to *into*; return a list of what was left out and why.

    A link to another file of the folder becomes a copy of that file. Raises UngradableError, see
    `files`, and OSError where our disk fails, and not their files.
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
    """Copy a plain file to *name* below *into*; return why it cannot be copied, or "".

    Raises OSError where our disk fails.
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
