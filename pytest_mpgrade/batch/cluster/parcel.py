"""Files on their way to a node and back: archives of plain files, the same bytes for the same files."""

from __future__ import annotations

import gzip
import io
import os
import re
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from pytest_mpgrade.batch import archives
from pytest_mpgrade.errors import UsageError

MOST_BYTES = 200_000_000
_STAYS = re.compile(r"\..*|__pycache__|__MACOSX", re.DOTALL)


def pack(places: Mapping[str, Path], *, without: frozenset[str] = frozenset()) -> bytes:
    """Return an archive of files and folders under new names; *without*: names that stay here, at any depth.

    What is hidden, links that lead out of a folder, and what is no file stay here too: discovery does not look at them.
    Raises UsageError where it is more than 200 MB.
    """
    tape = io.BytesIO()
    with tarfile.open(fileobj=tape, mode="w") as archive:
        for name, path in _members(places, without):
            # A pipe that a student made would block whoever opens it, so only what is a file now is opened.
            with open(path, "rb") as file:
                info = tarfile.TarInfo(name)
                info.size = os.fstat(file.fileno()).st_size
                if tape.tell() + info.size > MOST_BYTES:
                    raise UsageError(
                        f"it has more than {MOST_BYTES // 1_000_000} MB, too much to travel; grade it here"
                    )
                archive.addfile(info, file)
    return gzip.compress(tape.getvalue(), mtime=0)


def _members(places: Mapping[str, Path], without: frozenset[str]) -> Iterator[tuple[str, Path]]:
    for name, place in places.items():
        if place.is_file():
            yield name, place
            continue
        root = place.resolve()
        for folder, below, files in os.walk(root):
            below[:] = sorted(each for each in below if not (_STAYS.fullmatch(each) or each in without))
            for path in (Path(folder, each) for each in sorted(files) if not each.startswith(".")):
                if path.is_file() and path.resolve().is_relative_to(root):
                    yield f"{name}/{path.relative_to(root).as_posix()}", path


def unpack(data: bytes, into: Path) -> None:
    """Write the files of an archive below *into*. Raises UsageError where it is broken."""
    into.mkdir(parents=True, exist_ok=True)
    whole = into / ".parcel.tar.gz"
    whole.write_bytes(data)
    try:
        archives.unpack(whole, into)
    finally:
        whole.unlink()
