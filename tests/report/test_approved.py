"""What people read at a terminal, held by approved texts, at 80 and at 120 columns.

The results are those of real gradings (tests/data/approved). After a change that is meant:
``pytest tests/report/test_approved.py --snapshot-update``, and read the difference.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from pytest_mpgrade import cli
from pytest_mpgrade.report import terminal
from pytest_mpgrade.report.result_json import read_result
from support.running import ROOT

RESULTS = ROOT / "tests" / "data" / "approved"
EACH = pytest.mark.parametrize("student", ["ada", "drops_last", "never_joins", "starter", "typo"])
WIDTHS = pytest.mark.parametrize("width", [80, 120])
COMMANDS = {
    "show": ["show", "never_joins", "--student", "never_joins"],
    "causes": ["causes", "."],
    "rubric": ["rubric", "mp_apply"],
    "outline of a notebook": ["rubric", "notebook"],
}


class TextFile(SingleFileSnapshotExtension):
    """Keeps each text in a file of its own, as it is."""

    _write_mode = WriteMode.TEXT
    _file_extension = "txt"
    file_extension = "txt"


@pytest.fixture
def approved(snapshot: Any) -> Any:
    """Return what a text is compared with."""
    return snapshot.use_extension(TextFile)


@EACH
@WIDTHS
def test_result(approved: Any, student: str, width: int) -> None:
    """What `pytest` and `mpgrade check` say of a result, and no line is wider than the terminal."""
    result = read_result(RESULTS / student / "result.json")
    parts = (terminal.explanations(result, width), terminal.rubric(result, width))
    text = "\n\n".join(filter(None, parts)) + "\n"
    assert max(map(len, text.splitlines())) <= width
    assert text == approved


@WIDTHS
@pytest.mark.parametrize("name", COMMANDS)
def test_command(
    approved: Any,
    name: str,
    width: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What a command prints that reads results or an assignment."""
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.chdir(RESULTS)
    assert cli.main(COMMANDS[name]) == 0
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= width
    assert text == approved


@pytest.mark.parametrize(("student", "most"), [("starter", 17), ("never_joins", 67)])
def test_length(student: str, most: int) -> None:
    """The untouched starter and the lecture's mistakes are told in few lines: with the 13 of a
    pytest session, 30 and 80.
    """
    result = read_result(RESULTS / student / "result.json")
    text = f"{terminal.explanations(result, 80)}\n{terminal.rubric(result, 80, headed=False)}"
    assert len(re.findall(r"^.*\S", text, re.MULTILINE)) <= most
