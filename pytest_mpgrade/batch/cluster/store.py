"""A store of results for several nodes, which may write the same one: the first to arrive stays.

The store has a log of all attempts, too.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_mpgrade.system.atomic_write import written_beside

_PRIVATE = 0o600
"""Results are the business of who grades, whatever the umask."""


@dataclass(frozen=True)
class Store:
    """A folder of results, which may be on a network file system.

    It needs no lock. It relies on `link` alone, which is atomic there, too.
    """

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> Store:
        """Return the store in a folder, which is made if it is missing."""
        (folder / "attempts").mkdir(parents=True, exist_ok=True)
        return cls(folder)

    def final(self, key: str) -> bytes | None:
        """Return the result that counts, or None."""
        return _read(self.folder / f"{key}.tar.gz")

    def broken(self, key: str) -> bytes | None:
        """Return the files of the last attempt if it ended in an error of the grader, or None."""
        return _read(self.folder / f"{key}.error.tar.gz")

    def commit(self, key: str, data: bytes) -> bytes:
        """Keep a result, unless another attempt was first; return the one that counts."""
        result = self.folder / f"{key}.tar.gz"
        with (
            written_beside(result, data, mode=_PRIVATE) as new,
            contextlib.suppress(FileExistsError),
        ):
            os.link(new, result)
        return self.final(key) or data

    def keep_broken(self, key: str, data: bytes) -> None:
        """Keep the files of an attempt that ended in an error, until the next attempt."""
        result = self.folder / f"{key}.error.tar.gz"
        with written_beside(result, data, mode=_PRIVATE) as new:
            os.replace(new, result)

    @contextlib.contextmanager
    def attempt(self, key: str, *, alone: bool) -> Iterator[None]:
        """Log that an attempt begins and how it ends.

        An attempt without an end was lost with its node. Each attempt has a file of its own: on
        NFS, hosts cannot safely append to one file.
        """
        path = self.folder / "attempts" / f"{key}.{uuid.uuid4().hex[:12]}.json"
        begun = {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "begun": time.time(),
            "alone": alone,
        }
        path.write_text(json.dumps(begun))
        ended = "done"
        try:
            yield
        except BaseException as error:
            ended = type(error).__name__
            raise
        finally:
            path.write_text(json.dumps({**begun, "ended": ended}))

    def attempts(self, key: str) -> list[dict[str, object]]:
        """Return all attempts, the oldest first."""
        logged = []
        for path in (self.folder / "attempts").glob(f"{key}.*.json"):
            with contextlib.suppress(ValueError):  # a file that is just being written
                logged.append(json.loads(path.read_text()))
        return sorted(logged, key=lambda each: float(each["begun"]))


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
