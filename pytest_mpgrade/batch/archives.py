"""Archives, unpacked so that nothing of them lies anywhere else: no absolute path, no way up, no link, no bomb."""

from __future__ import annotations

import os
import re
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from pytest_mpgrade.errors import UsageError

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
MOST_FILES = 100_000
MOST_BYTES = 4_000_000_000
_CHUNK = 1 << 20
_NOT_THEIRS = re.compile(r"__MACOSX/|.*\.DS_Store$|.*/\._[^/]*$|\._[^/]*$")


def is_archive(path: Path) -> bool:
    """Tell whether a file is named like an archive that can be unpacked."""
    return path.name.lower().endswith(SUFFIXES) and path.is_file()


def unpack(archive: Path, into: Path, *, most_bytes: int = MOST_BYTES) -> list[str]:
    """Unpack the plain files of an archive below *into*; return the names that were left out, with why.

    Raises UsageError where it is broken, encrypted, or holds more than *most_bytes* or 100,000 files.
    """
    left_out: list[str] = []
    room = most_bytes
    try:
        for number, (name, why, file) in enumerate(_members(archive)):
            if number >= MOST_FILES:
                raise UsageError(f"{archive.name} holds more than {MOST_FILES} files")
            why = why or _unsafe(name)
            if why or file is None:
                left_out.append(f"{name} ({why or 'no plain file'})")
                continue
            with file:
                room -= _copy(file, into / name, room)
            if room < 0:
                raise UsageError(f"{archive.name} holds more than {most_bytes / 1e9:g} GB")
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, RuntimeError, NotImplementedError, OSError) as error:
        raise UsageError(f"{archive.name} cannot be unpacked: {error}") from error
    return left_out


def unpack_theirs(archive: Path, into: Path) -> list[str]:
    """Unpack what a student has handed in: a broken archive is theirs, and stops nobody else's grading."""
    into.mkdir(parents=True, exist_ok=True)
    try:
        return unpack(archive, into)
    except UsageError as error:
        return [str(error)]


def _members(archive: Path) -> Iterator[tuple[str, str, IO[bytes] | None]]:
    """Yield name, why it is left out, and the open file of each member that is no folder."""
    if archive.name.lower().endswith(".zip"):
        with zipfile.ZipFile(archive) as whole:
            for info in whole.infolist():
                link = stat.S_ISLNK(info.external_attr >> 16)
                if not info.is_dir() and not _NOT_THEIRS.match(info.filename):
                    yield info.filename, "a link" if link else "", None if link else whole.open(info)
        return
    with tarfile.open(archive) as tape:
        for member in tape:
            if not member.isdir() and not _NOT_THEIRS.match(member.name):
                plain = member.isreg()
                yield member.name, "" if plain else "no plain file", tape.extractfile(member) if plain else None


def _unsafe(name: str) -> str:
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or re.match(r"[A-Za-z]:", name):
        return "its path leads out of the archive"
    if "\0" in name or any(len(os.fsencode(part)) > 255 for part in parts):
        return "no file can have this name"
    return ""


def _copy(file: IO[bytes], target: Path, room: int) -> int:
    """Write a file; return its bytes. Stops where there is no room, whatever size the archive says it has."""
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with open(target, "wb") as out:
        while written <= room and (data := file.read(_CHUNK)):
            out.write(data)
            written += len(data)
    return written


def clear(folder: Path) -> None:
    """Make an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
