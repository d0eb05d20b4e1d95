"""What `import pytest_mpgrade` costs over a bare interpreter: every spawned worker pays for it.

Interleaved pairs of fresh interpreters in random order; prints medians and the median of the
differences, in milliseconds. The aim is at most 10 ms.
"""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import time

PAIRS = 40
PROGRAMS = {"bare": "pass", "import": "import pytest_mpgrade"}


def seconds(program: str) -> float:
    """Return the wall time of one interpreter in seconds."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True)
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    taken: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(PAIRS):
        for name in random.sample(list(PROGRAMS), len(PROGRAMS)):
            taken[name].append(1000 * seconds(PROGRAMS[name]))
    over = [b - a for a, b in zip(taken["bare"], taken["import"], strict=True)]
    for name, values in taken.items():
        print(f"{name:8} median {statistics.median(values):6.1f} ms, least {min(values):6.1f} ms")
    print(
        f"import pytest_mpgrade costs {statistics.median(over):.1f} ms (median of {PAIRS}"
        " differences)"
    )


if __name__ == "__main__":
    main()
