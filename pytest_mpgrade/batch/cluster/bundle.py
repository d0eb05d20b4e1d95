"""Reproducible archives, in which files travel to a node and back.

The same files give the same bytes, so that a hash of the archive identifies them.
"""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pytest_mpgrade.batch import archives
from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.submission import handed_in

MOST_BYTES = 200_000_000
"""A bundle is held in memory by both ends. What students hand in is smaller by far; a data set is
not to be carried with each.
"""


def pack(places: Mapping[str, Path]) -> bytes:
    """Return an archive of files and folders under new names.

    What is hidden, links that lead out of a folder, and what cannot be read stay here: no grading
    would use them. Raises UsageError where it is more than 200 MB, and UngradableError where a
    folder has too many files.
    """
    tape = io.BytesIO()
    with tarfile.open(fileobj=tape, mode="w") as archive:
        for name, place in places.items():
            for file in sorted(handed_in.files(place), key=lambda each: each.name):
                if file.fault:
                    continue
                with suppress(OSError):
                    data = handed_in.content(file.path, MOST_BYTES + 1)
                    _add(archive, name if place.is_file() else f"{name}/{file.name}", data)
                if tape.tell() > MOST_BYTES:
                    raise UsageError(
                        f"it has more than {MOST_BYTES // 1_000_000} MB, too much to travel; grade"
                        " it here"
                    )
    return gzip.compress(tape.getvalue(), mtime=0)


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    archive.addfile(info, io.BytesIO(data))


def unpack_bundle(data: bytes, into: Path) -> None:
    """Write the files of an archive below *into*. Raises UsageError where it is broken."""
    into.mkdir(parents=True, exist_ok=True)
    whole = into / ".parcel.tar.gz"
    whole.write_bytes(data)
    try:
        archives.unpack_archive(whole, into)
    finally:
        whole.unlink()
