"""A spec has all that a node needs to grade one submission: plain data and the files themselves.

So a node does not have to see our folders.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class GradingSpec:
    """One submission, ready to be graded on any node."""

    key: str  # a hash of all that decides the result: the same key, the same result
    id: str
    submission: str  # its path in the files
    options: tuple[str, ...]  # of `mpgrade grade`
    seconds: float  # limit of a grading, as a backstop
    cores: int
    version: str  # of mpgrade
    store: str  # folder of results, if the node can see it
    alone: bool = False  # run with nothing else in flight, after a lost attempt
    files: bytes = b""

    def plain(self) -> dict[str, Any]:
        """Return the spec as data that an engine can carry without this class."""
        return asdict(self)

    def write(self, path: Path) -> None:
        """Write the spec as a line of JSON with the files after it."""
        head = json.dumps({**self.plain(), "files": ""}).encode()
        path.write_bytes(head + b"\n" + self.files)


def read_spec(path: Path) -> GradingSpec:
    """Read a spec that `write` has written."""
    head, _, files = path.read_bytes().partition(b"\n")
    return spec_of({**json.loads(head), "files": files})


def spec_of(plain: dict[str, Any]) -> GradingSpec:
    """Return the spec that `plain` has turned into data."""
    return GradingSpec(**{**plain, "options": tuple(plain["options"])})


def key(files: bytes, *words: str) -> str:
    """Return a hash of the files of submission and assignment, and of all *words* that matter."""
    return hashlib.sha256(hashlib.sha256(files).digest() + json.dumps(words).encode()).hexdigest()[
        :32
    ]
