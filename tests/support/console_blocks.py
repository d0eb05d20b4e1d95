"""Console blocks of the README and of `docs/`: typed in a fresh folder, and their output compared.

A block is typed unless the line above it says `<!-- only parsed: WHY -->`; then its commands are
given to the parser of `mpgrade` and nothing runs. Output that is shown has to come. `...` stands
for any text, and numbers of processes and seconds may differ, and so may line ends, which depend on
how long these are. Where nothing is shown, the command has to end with 0.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_mpgrade.cli.arguments import Command, parser
from support.running import ROOT, variables

ONLY_PARSED = re.compile(r"<!-- only parsed: (?P<why>\S.*?) -->\s*\Z", re.DOTALL)
GRADING = ("check", "batch", "verify")
"""Commands that take long; what one of them gives for the same files is shared by all pages."""
REPOSITORY = ("assignments", "reference", "examples")
"""What the fresh folder has of the repository, as a reader's copy has."""
SECONDS = 400.0
"""For one command, on a busy machine."""


@dataclass(frozen=True)
class Typed:
    """A command, and the output that is shown of it."""

    command: str
    shown: str


@dataclass
class Shell:
    """A terminal in a fresh folder, in which the blocks of a page are typed one after another."""

    top: Path
    shared: Path
    cwd: Path = field(init=False)
    code: int = 0

    def __post_init__(self) -> None:
        self.cwd = self.top
        for name in REPOSITORY:
            (self.top / name).symlink_to(ROOT / name)

    def type(self, typed: Typed) -> None:
        """Run a command, and hold its output against what is shown."""
        output = self._shared(typed.command) or self._run(typed.command)
        if typed.shown:
            assert fits(typed.shown, output), (
                f"$ {typed.command}\n--- shown\n{typed.shown}\n--- came\n{output}"
            )
        else:
            assert self.code == 0, f"$ {typed.command}\nended with {self.code}:\n{output}"

    def _run(self, command: str) -> str:
        # $? and the folder are those that the command before has left, as in one terminal.
        ended, folder = self.top / ".ended", shlex.quote(str(self.cwd))
        text = f"cd {folder}; (exit {self.code})\n{command}\ncode=$?; pwd > {ended}; exit $code"
        done = subprocess.run(
            ["bash", "-c", text],
            env=_variables(self.top),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        self.code, self.cwd = done.returncode, Path(ended.read_text().strip())
        return done.stdout

    def _shared(self, command: str) -> str:
        """Return the output of a grading, made by whoever asks for it first; "" for others."""
        words = shlex.split(command, comments=True)
        if words[:1] != ["mpgrade"] or words[1] not in GRADING:
            return ""
        out = words[words.index("--out") + 1] if "--out" in words else ""
        given = [self.cwd / word for word in words if word != out and (self.cwd / word).is_dir()]
        kept = self.shared / hashlib.sha256(f"{command}{_files(given)}".encode()).hexdigest()
        self.shared.mkdir(exist_ok=True)
        with open(f"{kept}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not kept.is_dir():
                self._keep(command, out, kept)
        if out and not (self.cwd / out).exists():
            shutil.copytree(kept / "out", self.cwd / out)
        self.code, output = json.loads((kept / "said.json").read_text())
        return str(output)

    def _keep(self, command: str, out: str, kept: Path) -> None:
        output, making = self._run(command), kept.with_suffix(".making")
        making.mkdir(exist_ok=True)  # of a page that failed before
        (making / "said.json").write_text(json.dumps([self.code, output]))
        assert not out or (self.cwd / out).is_dir(), f"$ {command}\n{output}"
        if out:
            shutil.copytree(self.cwd / out, making / "out", dirs_exist_ok=True)
        making.rename(kept)


def _variables(home: Path) -> dict[str, str]:
    """Return the environment of a reader's terminal, in which `mpgrade` is on the path."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    apart = ("CI", "MPGRADE_ASSIGNMENTS", "PYTHONPATH")
    kept = {name: value for name, value in variables().items() if name not in apart}
    return {**kept, "PATH": path, "COLUMNS": "80", "HOME": str(home)}


def _files(folders: list[Path]) -> list[tuple[str, str]]:
    """Return the files below some folders, each with a fingerprint of what is in it."""
    return [
        (str(path.relative_to(folder)), hashlib.sha256(path.read_bytes()).hexdigest())
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    ]


def commands(block: str) -> Iterator[Typed]:
    """Yield the commands of a block, each with the output that is shown below it."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        yield Typed(command.strip(), shown.strip("\n"))


def fits(shown: str, output: str) -> bool:
    """Tell whether an output is the one that is shown, but for what differs each time."""
    parts = [re.escape(_plain(part)) for part in re.split(r"\.\.\.", shown)]
    return re.fullmatch(r"\s*.*?\s*".join(parts), _plain(output), re.DOTALL) is not None


def _plain(text: str) -> str:
    text = re.sub(r"\bpid \d+", "pid N", text)
    text = re.sub(r"\b\d+(\.\d+)? s\b", "N s", text)
    return " ".join(text.split())


def check_that_it_parses(command: str) -> None:
    """Raise UsageError where `mpgrade` would not understand a command line; run nothing."""
    words = shlex.split(command, comments=True)
    if words[:1] == ["mpgrade"]:
        unused: Mapping[str, Command] = defaultdict(lambda: lambda _: 0)
        parser(unused).parse_args(words[1:])
