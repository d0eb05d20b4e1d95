"""Which tests of an assignment pytest runs: by file, by id, by criterion.

The test file lies with the assignment, often among installed packages, and its users stand in the
folder of a submission. So pytest is told where the file is, and gives its tests ids that begin with
the file's name: what pytest prints can be typed after `pytest` again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.records import Assignment

_TEST = re.compile(r"test_\w+(\[.*\])?$")
"""What a test may be called; the name of a file has a dot."""
_OURS = frozenset(("criterion", "start_methods", "rehearsed"))
"""Markers with arguments; a criterion of such a name is chosen by -k only."""


def places(given: Sequence[str], folder: Path, test_file: Path, module: str) -> list[str]:
    """Return what pytest should collect for the words after `pytest`, typed in *folder*.

    The test file's name, no name before ``::``, and a folder without tests mean the test file.
    Raises UsageError for the submission's module, which holds no tests, and for the name of a test
    without ``::``.
    """
    return [_place(word, folder, test_file, module) for word in given] or [str(test_file)]


def _place(word: str, folder: Path, test_file: Path, module: str) -> str:
    name, separator, test = word.partition("::")
    path = folder / name
    if Path(name).name == module and path.is_file():
        raise UsageError(
            f"{name} is what is graded, and holds no tests: call pytest without a file, or name a"
            f' test: pytest "{test_file.name}::…"'
        )
    if _TEST.match(word) and not path.exists():
        raise UsageError(f"there is no file {name}; a test is named so: pytest ::{name}")
    meant = name == test_file.name and not path.exists()
    if meant or not name or (path.is_dir() and not _has_tests(path)):
        return f"{test_file}{separator}{test}"
    return word


def _has_tests(folder: Path) -> bool:
    # No deeper: a virtual environment in it has the tests of packages.
    return any(next(folder.glob(f"{below}test_*.py"), None) for below in ("", "*/"))


class Selection:
    """Names the tests of the assignment, and marks them with their criterion."""

    def __init__(self, assignment: Assignment, config: pytest.Config) -> None:
        self._test_file = Path(assignment.folder) / assignment.test_file
        names = frozenset(each.name for each in assignment.criteria if each.name.isidentifier())
        self._marks = names - _OURS
        for name in sorted(self._marks):
            config.addinivalue_line("markers", f"{name}: a question of this criterion")

    @pytest.hookimpl(tryfirst=True)
    def pytest_pycollect_makemodule(
        self, module_path: Path, parent: pytest.Collector
    ) -> pytest.Module | None:
        """Name the test file by its name, where it does not lie below pytest's root."""
        outside = not module_path.is_relative_to(parent.config.rootpath)
        if not outside or module_path != self._test_file:
            return None
        module: pytest.Module = pytest.Module.from_parent(
            parent, path=module_path, nodeid=module_path.name
        )
        return module

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Let `-k NAME` and `-m NAME` choose the questions of a criterion."""
        marker = item.get_closest_marker("criterion")
        name = str(marker.args[0]) if marker and marker.args else ""
        if name:
            item.extra_keyword_matches.add(name)
        if name in self._marks:
            item.add_marker(name)
