"""Zip archives that are the same, byte for byte, whenever their files are."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path

from pytest_mpgrade.system import atomic_write


def zip_bytes(members: Mapping[str, bytes], executable: Collection[str] = ()) -> bytes:
    """Return a zip with these files; *executable* are the names of programs among them."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            entry = zipfile.ZipInfo(name)  # with the format's first moment as its time
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix; otherwise unpackers ignore file modes
            entry.external_attr = (0o100755 if name in executable else 0o100644) << 16
            archive.writestr(entry, data)
    return packed.getvalue()


def write_zip(members: Mapping[str, bytes], path: Path, executable: Collection[str] = ()) -> None:
    """Write a zip. Raises UsageError where that fails."""
    atomic_write.write_bytes(zip_bytes(members, executable), path)
