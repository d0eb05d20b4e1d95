"""Whose end a file reports at which a process waits: told by the pipes that it was made with."""

from __future__ import annotations

import pytest

from pytest_mpgrade.run.observe.sentinels import Tree, WaitSources, sources

PARENT, SERVER, FIRST, SECOND = 10, 11, 12, 13


def forked_by_server(*pairs: tuple[int, int]) -> Tree:
    """Return a parent with two processes of a fork server, by the numbers of the two pipes of
    each: the sentinel, and the one that leads back.
    """
    parent: dict[int, str] = {}
    written: dict[int, dict[str, set[int]]] = {PARENT: {}, SERVER: {}, FIRST: {}, SECOND: {}}
    read: dict[int, dict[int, str]] = {SERVER: {}, FIRST: {}, SECOND: {}}
    for place, (pid, (sentinel, back)) in enumerate(zip((FIRST, SECOND), pairs, strict=True)):
        down, up = 5 + place, 8 + place  # as os.pipe() gives them, once the child's ends are shut
        parent |= {down: f"pipe:[{sentinel}]", up: f"pipe:[{back}]"}
        written[PARENT][f"pipe:[{back}]"] = {up}
        written[SERVER][f"pipe:[{sentinel}]"] = {20 + place}
        read[SERVER][20 + place] = f"pipe:[{sentinel}]"
        read[pid][3] = f"pipe:[{back}]"
    helpers = {PARENT: "", SERVER: "fork server", FIRST: "", SECOND: ""}
    return Tree(helpers=helpers, _open={PARENT: parent, **read}, _write=written)


@pytest.mark.parametrize(
    "pairs",
    [
        pytest.param([(100, 101), (102, 103)], id="one after the other"),
        pytest.param([(100, 104), (105, 106)], id="a pipe of somebody else in between"),
        pytest.param([(900, 100), (102, 902)], id="on two cores"),
    ],
)
def test_processes_of_a_fork_server(pairs: list[tuple[int, int]]) -> None:
    """Each sentinel is that of its process, whatever numbers the kernel gave to the pipes."""
    found = sources(PARENT, [5, 6], forked_by_server(*pairs))
    assert found == WaitSources(exits=True, messages=False, pids=(FIRST, SECOND))
    assert sources(PARENT, [6], forked_by_server(*pairs)).pids == (SECOND,)


def test_a_reader_without_a_sentinel_is_nobodys_end() -> None:
    """A process that is known by its pipe remains known where others cannot be told apart."""
    tree = forked_by_server((100, 101), (102, 200))
    tree._open[PARENT][30] = "pipe:[301]"  # one more pipe whose other end the server keeps
    tree._write[SERVER]["pipe:[301]"] = {25}
    assert sources(PARENT, [5, 6], tree).pids == (FIRST,)
