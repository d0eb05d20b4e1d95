"""Build a wheel of the running mpgrade, also of an editable installation.

It needs no source tree, build tool or index. The format is PyPA's specification "Binary
distribution format". Shipped assignments other than the packed one are left out.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest_mpgrade
from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.system.ignored_names import IGNORED
from pytest_mpgrade.system.zip_files import zip_bytes

_KEPT = ("METADATA", "entry_points.txt")
_WHEEL = "Wheel-Version: 1.0\nGenerator: mpgrade\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def build() -> tuple[str, bytes]:
    """Return the wheel's name and content. Raises UsageError where mpgrade is not installed."""
    try:
        installed = metadata.distribution("pytest-mpgrade")
    except metadata.PackageNotFoundError:
        raise UsageError(
            "mpgrade is not installed here, so that nothing says what it needs: give --wheel"
        ) from None
    stem = f"pytest_mpgrade-{installed.version}"
    files = dict(_package())
    licences = [f"licenses/{name}" for name in installed.metadata.get_all("License-File") or ()]
    files |= {
        f"{stem}.dist-info/{name}": (installed.read_text(name) or "").encode()
        for name in (*_KEPT, *licences)
    }
    files[f"{stem}.dist-info/WHEEL"] = _WHEEL.encode()
    files[f"{stem}.dist-info/RECORD"] = _record(files, f"{stem}.dist-info/RECORD")
    return f"{stem}-py3-none-any.whl", zip_bytes(files)


def _package() -> Iterator[tuple[str, bytes]]:
    home = Path(pytest_mpgrade.__file__).parent
    for path in sorted(home.rglob("*")):
        name = path.relative_to(home)
        if path.is_file() and name.parts[0] != "assignments" and IGNORED.isdisjoint(name.parts):
            yield f"{home.name}/{name.as_posix()}", path.read_bytes()


def _record(files: dict[str, bytes], own: str) -> bytes:
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        writer.writerow([name, f"sha256={digest}", len(data)])
    writer.writerow([own, "", ""])
    return table.getvalue().encode()
