"""Unpack archives safely: no absolute path, no `..`, no link, no decompression bomb.

Every member is written below the target folder, as a plain file.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import re
import shutil
import stat
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pytest_mpgrade.errors import UngradableError, UsageError
from pytest_mpgrade.submission import handed_in
from pytest_mpgrade.system.ignored_names import IN_ARCHIVES

_OPENED: Mapping[str, Callable[[Any], Any]] = {
    ".tar": lambda file: file,
    ".tar.gz": lambda file: gzip.GzipFile(fileobj=file),
    ".tgz": lambda file: gzip.GzipFile(fileobj=file),
    ".tar.bz2": bz2.BZ2File,
    ".tar.xz": lzma.LZMAFile,
}
SUFFIXES = (".zip", *_OPENED)
_MOST_AT_ONCE = 8_000_000
"""The most bytes that the reader of an archive may read in one piece.

That is enough for the directory of a zip with 50,000 members. Zip directories and tar headers are
read whole, and state their own length: an archive of some hundred bytes could ask for gigabytes of
memory.
"""
_CHUNK = 1 << 20
"""Bytes of one read: memory stays small, whatever a member claims to be."""


@dataclass(frozen=True, kw_only=True)
class Most:
    """Upper bounds on the content of an archive."""

    files: int
    bytes: int


COURSE = Most(files=100_000, bytes=4_000_000_000)
"""A whole course's download."""
STUDENT = Most(files=100_000, bytes=500_000_000)
"""What one student hands in, often with a virtual environment; 300 of them could fill a disk."""


class _OurDiskError(UsageError):
    """The place where an archive is unpacked is at fault, and not the archive."""


@dataclass(frozen=True, kw_only=True)
class _Member:
    name: str
    why: str = ""  # reason why it is left out
    file: IO[bytes] | None = None  # open; None for folders and members that are left out


def is_archive(path: Path) -> bool:
    """Tell whether a file is named like an archive that can be unpacked."""
    return path.name.lower().endswith(SUFFIXES) and os.path.isfile(path)


def unpack_archive(archive: Path, into: Path, most: Most = COURSE) -> list[str]:
    """Unpack the plain files of an archive below *into*; return what was left out, with reasons.

    Raises UsageError where the archive is broken, encrypted, or larger than *most*. The files that
    were unpacked before the error stay.
    """
    into.mkdir(parents=True, exist_ok=True)
    try:
        with handed_in.opened(archive) as file:
            return list(
                _unpacked(archive.name, _members(archive.name.lower(), file, into), into, most)
            )
    except UsageError:
        raise
    except Exception as error:  # a broken archive makes its reader raise all kinds of errors
        words = (
            (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
        )
        raise UsageError(f"{archive.name} cannot be unpacked: {words}") from error


def _unpacked(archive: str, members: Iterable[_Member], into: Path, most: Most) -> Iterator[str]:
    """Write the members; yield a line for each that is left out."""
    room = most.bytes
    for number, member in enumerate(members):
        if number >= most.files:
            raise UsageError(f"{archive} holds more than {most.files} files")
        why = member.why
        if member.file:
            written, why = _write(member.file, into, member.name, room)
            room -= written
        if room < 0:
            raise UsageError(f"{archive} holds more than {_size(most.bytes)}")
        if why:
            yield f"{member.name} ({why})"


def _size(count: int) -> str:
    return f"{count / 1e9:g} GB" if count >= 1e9 else f"{count / 1e6:g} MB"


@dataclass(frozen=True, kw_only=True)
class Unpacked:
    """What became of an archive that a student has handed in."""

    left_out: tuple[str, ...] = ()  # with reasons
    broken: str = ""  # why nothing of it was unpacked


def unpack_theirs(archive: Path, into: Path) -> Unpacked:
    """Unpack an archive that a student has handed in, whole or not at all.

    A broken archive is the student's fault, and does not stop the grading of others.
    """
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        prefix=".unpacking-", dir=into.parent, ignore_cleanup_errors=True
    ) as folder:
        try:
            left_out = unpack_archive(archive, Path(folder), STUDENT)
            return Unpacked(left_out=(*left_out, *handed_in.copy(Path(folder), into)))
        except _OurDiskError:
            raise
        except (UsageError, UngradableError) as error:
            why = str(error).removeprefix(f"{archive.name} ")
            return Unpacked(broken=why.removeprefix("cannot be unpacked: "))
        except OSError as error:
            raise _OurDiskError(
                f"cannot unpack {archive.name} in {into.parent}: {error.strerror}"
            ) from error


def _members(name: str, file: IO[bytes], into: Path) -> Iterator[_Member]:
    """Yield each member."""
    if name.endswith(".zip"):
        yield from _zipped(file)
        return
    suffix = max((each for each in _OPENED if name.endswith(each)), key=len)
    with _OPENED[suffix](file) as plain, tarfile.open(fileobj=_Bounded(plain), mode="r:") as tape:
        for member in tape:
            why = "" if member.isdir() else _unsafe(member.name) or _refused(member, into)
            if member.isdir() or why or IN_ARCHIVES.match(member.name):
                yield _Member(name=member.name, why=why)
            else:
                yield _Member(name=member.name, file=tape.extractfile(member))


def _zipped(file: IO[bytes]) -> Iterator[_Member]:
    with zipfile.ZipFile(_Bounded(file)) as whole:
        for info in whole.infolist():
            why = "a link" if stat.S_ISLNK(info.external_attr >> 16) else _unsafe(info.filename)
            if info.is_dir() or why or IN_ARCHIVES.match(info.filename):
                yield _Member(name=info.filename, why="" if info.is_dir() else why)
                continue
            with whole.open(info) as opened:
                yield _Member(name=info.filename, file=opened)


def _refused(member: tarfile.TarInfo, into: Path) -> str:
    """Return why a member of a tar is left out, or "".

    The reasons are our own rule and Python's data filter (PEP 706).
    """
    if not member.isreg():
        return "no plain file"
    if not hasattr(tarfile, "data_filter"):  # before Python 3.10.12 and 3.11.4
        return ""
    try:
        tarfile.data_filter(member, str(into))
    except tarfile.FilterError as error:
        return str(error)
    return ""


def _unsafe(name: str) -> str:
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or re.match(r"[A-Za-z]:", name):
        return "its path leads out of the archive"
    if (
        "\0" in name
        or any(len(os.fsencode(part)) > 255 for part in parts)
        or _means_a_device(parts)
    ):
        return "no file can have this name"
    if len(parts) > handed_in.DEEPEST:
        return f"it lies in more than {handed_in.DEEPEST} folders"
    return ""


def _means_a_device(parts: list[str]) -> bool:
    """Tell whether Windows would open a device or an alternate data stream by this path.

    Windows takes `nul.py` for a device, and the part after a colon for the name of a stream.
    """
    if sys.platform != "win32":
        return False
    device = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?[ .]*", re.IGNORECASE)
    return any(device.fullmatch(part) or ":" in part for part in parts)


def _write(file: IO[bytes], into: Path, name: str, room: int) -> tuple[int, str]:
    """Write a file; return the number of bytes written, and why the file is left out, or "".

    Writing stops after *room* bytes, whatever size the archive states.
    """
    written = 0
    place = "/".join(part for part in name.split("/") if part not in ("", "."))
    try:
        out = handed_in.created(into, place)
    except OSError as error:
        if error.errno in handed_in.NAME_ERRORS:
            return 0, error.strerror or str(error)
        raise _OurDiskError(f"cannot write below {into}: {error.strerror}") from error
    with out:
        while written <= room and (data := file.read(_CHUNK)):
            try:
                out.write(data)
            except OSError as error:
                raise _OurDiskError(f"cannot write below {into}: {error.strerror}") from error
            written += len(data)
    return written, ""


class _Bounded(io.RawIOBase):
    """A file that refuses to read more than `_MOST_AT_ONCE` bytes in one call."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int = -1, /) -> bytes:
        if size <= _MOST_AT_ONCE:
            data = self._file.read(size if size >= 0 else _MOST_AT_ONCE + 1)
            if len(data) <= _MOST_AT_ONCE:
                return data
        raise ValueError(
            f"its list of members, or a header, is longer than {_MOST_AT_ONCE // 1_000_000} MB"
        )

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True


def clear(folder: Path) -> None:
    """Remove a folder with its content, and make it anew."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
