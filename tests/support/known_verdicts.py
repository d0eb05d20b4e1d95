"""A small assignment with a reference and two wrong solutions, for `mpgrade verify` and `mpgrade
wrong`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

TOML = """
name = "twice"
title = "Twice"
module = "twice.py"
points = 2
functions = ["twice(x)"]
start_methods = ["fork"]
test = "test_twice.py"
[[criteria]]
name = "results"
points = 2
"""
TESTS = '''
import pytest
from pytest_mpgrade import checks

@pytest.mark.criterion("results")
def test_twice(student):
    """Twice is twice."""
    student.check(student.call("twice", 4), checks.returns_value(8), checks.comes_back())
'''
EXPECTED = """
[thrice]
concerns = ["results"]
about = "Three times."
[hangs]
concerns = ["deadlock"]
about = "Takes a lock twice."
"""
HANGS = """
import threading
def twice(x):
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()
"""


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A small assignment with a reference and two wrong solutions."""
    files = {
        "assignment.toml": TOML,
        "test_twice.py": TESTS,
        "reference/twice.py": "def twice(x):\n    return 2 * x\n",
        "wrong/expected.toml": EXPECTED,
        "wrong/thrice.py": "def twice(x):\n    return 3 * x\n",
        "wrong/hangs.py": HANGS,
    }
    for name, text in files.items():
        path = tmp_path / "course" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "course"
