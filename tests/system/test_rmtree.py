"""Folders that are deep, closed or oddly named are counted and removed; all of them real."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pytest_mpgrade.system import rmtree

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="chmod and rm are not there")


def _deep(folder: Path, depth: int) -> None:
    """Make folders one in the other, more of them than a path may name."""
    handle = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=handle)
        below = os.open("d", os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = below
    os.close(handle)


def test_removes_what_is_nested_deeply(tmp_path: Path) -> None:
    """Deeper than Python recurses, and than a path can be."""
    place = tmp_path / "place"
    place.mkdir()
    _deep(place, 3000)
    rmtree.remove_tree(str(place))
    assert not place.exists()


@pytest.mark.parametrize("name", ["locked", "a\nnew line", "\udcff\udc80", "-rf", "$(true)"])
def test_removes_what_is_closed(tmp_path: Path, name: str) -> None:
    """Folders that their owner may not enter, with names that are none to be given to a shell."""
    inner = tmp_path / "place" / name / "inner"
    inner.mkdir(parents=True)
    (inner / "file").write_text("x")
    inner.chmod(0)
    inner.parent.chmod(0)
    rmtree.remove_tree(str(tmp_path / "place"))
    assert not (tmp_path / "place").exists()


def test_only_marked_folders_are_removed(tmp_path: Path) -> None:
    """Those whose paths begin as they are asked to, literally; where their folder has gone too,
    there are none.
    """
    place = tmp_path / "temp[x]"
    for name in ("mark-1", "mark-2", "other-1"):
        (place / name / "inner").mkdir(parents=True)
    for mark in (place / "mark-", tmp_path / "tempx" / "mark-"):
        rmtree.remove_all(str(mark))
    assert [left.name for left in place.iterdir()] == ["other-1"]


def test_what_a_link_leads_to_stays(tmp_path: Path) -> None:
    """Neither its files nor its rights are touched."""
    outside, place = tmp_path / "outside", tmp_path / "place"
    (outside / "kept").mkdir(parents=True)
    outside.chmod(0o500)
    place.mkdir()
    (place / "link").symlink_to(outside)
    _deep(place, 1500)  # so that rmtree gives up
    rmtree.remove_tree(str(place))
    assert not place.exists()
    assert (outside / "kept").is_dir()
    assert outside.stat().st_mode & 0o777 == 0o500
    outside.chmod(0o700)


def test_sizes_of_what_is_deep(tmp_path: Path) -> None:
    """Files and folders count, as far as their paths can be named."""
    (tmp_path / "file").write_bytes(bytes(100_000))
    _deep(tmp_path, 1500)
    found = list(rmtree.sizes([str(tmp_path)]))
    rmtree.remove_tree(str(tmp_path))  # pytest itself could not
    assert max(depth for _, depth in found) > 1000
    assert sum(size for size, _ in found) >= 100_000


def test_nothing_there(tmp_path: Path) -> None:
    """No folder, no size, and nothing to be removed."""
    rmtree.remove_tree(str(tmp_path / "none"))
    assert list(rmtree.sizes([str(tmp_path / "none")])) == []


def test_removes_what_somebody_else_removes_too(tmp_path: Path) -> None:
    """A supervisor that is ending and a grader that has given it up remove the same files: nothing
    of them stays.
    """
    place = tmp_path / "place"
    for _ in range(5):
        for number in range(300):
            (place / str(number)).mkdir(parents=True)
        names = [str(place), *(str(place / str(number)) for number in range(0, 300, 10))]
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(rmtree.remove_tree, names))
        assert not place.exists()
