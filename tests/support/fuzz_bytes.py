"""The parsers of `parsers`, given bytes that a coverage-guided fuzzer makes of seeds: atheris,
which is libFuzzer.

`PYTHONPATH=tests python tests/support/fuzz_bytes.py --seconds 600 [NAME …]` needs the extra
``fuzz``. What reaches new branches is kept in tests/data/seeds/NAME, which test_parsers.py reads
again at each run. An input that breaks something is left in the current folder, as ``crash-…``, and
ends that parser's turn; the exit status is then 1.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["pytest_mpgrade"]):
    from support import parsers

from pytest_mpgrade.errors import MpgradeError

MOST_BYTES = 4_096
MOST_SEEDS = 25
"""Of the inputs that reached new branches so many are kept, small and large ones."""


def main() -> int:
    """Give each parser its turn, in a process of its own: libFuzzer ends the one that it runs
    in.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="*", help=f"which parsers: {', '.join(parsers.TARGETS)}")
    parser.add_argument("--seconds", type=int, default=60, help="for each of them (default: 60)")
    arguments, options = parser.parse_known_args()
    if options:  # libFuzzer's own: this process is one parser's turn
        _turn(arguments.name[0], options)
    names = arguments.name or list(parsers.TARGETS)
    return int(any(_fuzz(name, arguments.seconds) for name in names))


def _fuzz(name: str, seconds: int) -> bool:
    """Fuzz one parser and keep its seeds; tell whether an input has broken it."""
    kept = parsers.seeds_of(name)
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as corpus:
        for path in kept.iterdir():
            shutil.copy(path, corpus)
        Path(corpus, "start").write_bytes(parsers.TARGETS[name][1])
        print(f"--- {name}", flush=True)
        run = [
            sys.executable,
            __file__,
            name,
            f"-max_len={MOST_BYTES}",
            "-timeout=20",
            "-rss_limit_mb=1000",
        ]
        broken = subprocess.run(
            [*run, f"-max_total_time={seconds}", corpus], check=False
        ).returncode
        by_size = sorted(Path(corpus).iterdir(), key=lambda path: (path.stat().st_size, path.name))
        shutil.rmtree(kept)
        kept.mkdir()
        for path in by_size[:: -(-len(by_size) // MOST_SEEDS)]:
            shutil.copy(path, kept / hashlib.sha256(path.read_bytes()).hexdigest()[:16])
    return broken != 0


def _turn(name: str, options: list[str]) -> None:
    target, _ = parsers.TARGETS[name]

    def once(data: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder, suppress(MpgradeError):
            target(Path(folder), data)

    atheris.Setup([sys.argv[0], *options], once)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
