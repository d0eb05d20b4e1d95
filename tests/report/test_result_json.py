"""The result file: written, and read back."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.records import Concern, Criterion, Finding, Outcome, Report, Status, Submission
from pytest_mpgrade.report import result_json
from support import results

CRITERIA = (
    Criterion(name="shutdown", points=3.0, title="Nothing is left"),
    Criterion(name="speed", points=1.0, title="Fast", requires=("shutdown",)),
)
TEST = "test_mp_apply.py::test_nothing_outlives_the_call[spawn]"

GOLDEN = """{
  "schema": "mpgrade.result/2",
  "assignment": "mp_apply",
  "submission": {
    "id": "ada",
    "path": "submissions/ada",
    "module": "cv_funcs.py",
    "sha256": "5e88"
  },
  "score": 0.0,
  "max_score": 4.0,
  "status": "graded",
  "undecided": {
    "points": 1.0,
    "why": [
      "keeps_up: this machine was too busy"
    ]
  },
  "criteria": [
    {
      "name": "shutdown",
      "title": "Nothing is left",
      "points": 0.0,
      "max_points": 4.0,
      "questions": [
        {
          "id": "test_mp_apply.py::test_nothing_outlives_the_call",
          "title": "no process outlives the call",
          "points": 0.0,
          "max_points": 4.0,
          "units": [
            {
              "start_method": "spawn",
              "variant": "",
              "outcome": "failed",
              "share": 0.0
            }
          ]
        }
      ]
    },
    {
      "name": "speed",
      "title": "Fast",
      "points": 0.0,
      "max_points": 0.0,
      "undecided": 1.0,
      "questions": [
        {
          "id": "test_mp_apply.py::test_speed",
          "title": "is fast",
          "points": 0.0,
          "max_points": 0.0,
          "units": [
            {
              "start_method": "",
              "variant": "",
              "outcome": "inconclusive",
              "share": 0.0,
              "undecided": true
            }
          ]
        }
      ]
    }
  ],
  "causes": [
    {
      "concern": "cleanup",
      "change": "join() every Process",
      "seen": "1 of 4 workers was a zombie",
      "points": 4.0,
      "questions": [
        "test_mp_apply.py::test_nothing_outlives_the_call"
      ],
      "start_methods": [
        "spawn"
      ],
      "checks": [
        "test_mp_apply.py::test_nothing_outlives_the_call[spawn]/no_leftovers"
      ]
    }
  ],
  "checks": [
    {
      "id": "test_mp_apply.py::test_nothing_outlives_the_call[spawn]/no_leftovers",
      "title": "no zombie is left",
      "concern": "cleanup",
      "criterion": "shutdown",
      "question": "test_mp_apply.py::test_nothing_outlives_the_call",
      "start_method": "spawn",
      "outcome": "failed",
      "message": "1 of 4 workers was a zombie",
      "hint": "join() every Process",
      "evidence": {
        "workers": [
          {
            "pid": 4121,
            "exitcode": 0,
            "state": "zombie"
          }
        ]
      },
      "seconds": 0.41
    },
    {
      "id": "test_mp_apply.py::test_speed/keeps_up",
      "title": "keeps up",
      "concern": "speedup",
      "criterion": "speed",
      "question": "test_mp_apply.py::test_speed",
      "start_method": "",
      "outcome": "inconclusive",
      "message": "this machine was too busy",
      "hint": "",
      "evidence": {},
      "seconds": 0.0
    }
  ],
  "containment": {
    "level": "namespace",
    "missing": []
  },
  "environment": {
    "python": "3.11.7",
    "platform": "linux",
    "cpus": 2,
    "mpgrade": "0.1.0"
  },
  "started": "2026-11-23T03:00:00Z",
  "seconds": 12.3
}
"""


def finding(**changes: object) -> Finding:
    """Return a failed check with all keys, with changes."""
    values: dict[str, object] = {
        "check": "no_leftovers",
        "title": "no zombie is left",
        "concern": Concern.CLEANUP,
        "outcome": Outcome.FAILED,
        "message": "1 of 4 workers was a zombie",
        "hint": "join() every Process",
        "evidence": {"workers": [{"pid": 4121, "exitcode": 0, "state": "zombie"}]},
        "seconds": 0.41,
    }
    return Finding(**{**values, **changes})  # type: ignore[arg-type]  # - fields by their names


BUSY = Finding(
    check="keeps_up",
    title="keeps up",
    concern=Concern.SPEEDUP,
    outcome=Outcome.INCONCLUSIVE,
    message="this machine was too busy",
)


def report(
    *findings: Finding,
    note: str = "",
    id: str = "ada",
    speed: tuple[Finding, ...] = (),
    **more: Any,
) -> Report:
    """Return a report on these findings of one test, and on those of another."""
    placed = [
        *results.placed(
            TEST, *findings, criterion="shutdown", title="no process outlives the call"
        ),
        *results.placed("test_mp_apply.py::test_speed", *speed, criterion="speed", title="is fast"),
    ]
    more.setdefault("status", Status.GRADED)
    more.setdefault("reason", "")
    return results.report(
        placed,
        CRITERIA,
        assignment="mp_apply",
        submission=Submission(
            id=id, path="submissions/ada", module="cv_funcs.py", sha256="5e88", note=note
        ),
        containment={"level": "namespace", "missing": []},
        environment={"python": "3.11.7", "platform": "linux", "cpus": 2, "mpgrade": "0.1.0"},
        started="2026-11-23T03:00:00Z",
        seconds=12.3,
        **more,
    )


def test_json_is_the_contracts() -> None:
    """Keys, their order and values are those of docs/contract.md, result-file; what is undecided is
    marked as such.
    """
    assert result_json.dumps(report(finding(), speed=(BUSY,))).decode() == GOLDEN


def test_optional_keys_appear_only_when_set() -> None:
    """A reason, a note and the check that left one undecided are there when there is something to
    say.
    """
    skipped = finding(outcome=Outcome.SKIPPED, undecided_by="met", call="mp_apply(4 tasks)")
    written = json.loads(
        result_json.dumps(report(skipped, reason="killed", note="renamed", status=Status.ERROR))
    )
    assert (written["reason"], written["submission"]["note"]) == ("killed", "renamed")
    assert written["checks"][0]["undecided_by"] == "met"
    assert written["checks"][0]["evidence"]["call"] == "mp_apply(4 tasks)"


def test_variant_and_requirement_are_written_where_there_are_any() -> None:
    """A check of a variant names it, and a criterion that another has taken the points of says
    so.
    """
    passed = finding(outcome=Outcome.PASSED)
    written = json.loads(
        result_json.dumps(report(finding(), speed=(dataclasses.replace(passed, check="faster"),)))
    )
    assert "variant" not in written["checks"][0]
    assert [each.get("reason") for each in written["criteria"]] == [
        None,
        "not earned: less than half of the points of 'Nothing is left'",
    ]
    assert written["criteria"][1]["questions"][0]["units"] == [
        {"start_method": "", "variant": "", "outcome": "passed", "share": 0.0}
    ]
    (varied,) = results.placed("t.py::test_a[fork-3]", passed)
    (check,) = json.loads(result_json.dumps(results.report([varied])))["checks"]
    assert (check["question"], check["start_method"], check["variant"]) == (
        "t.py::test_a",
        "fork",
        "3",
    )


def test_criteria_add_up_to_the_score() -> None:
    """Points stand with criteria and questions, and those of each add up to what stands above
    them.
    """
    given = [
        each
        for name in ("shutdown", "speed")
        for each in results.outcomes(
            *[Outcome.FAILED, *[Outcome.PASSED] * 6], criterion=name, test=f"t.py::{name}{{}}"
        )
    ]
    written = json.loads(result_json.dumps(results.report(given, CRITERIA)))
    for key, whole in (("points", "score"), ("max_points", "max_score")):
        assert math.fsum(each[key] for each in written["criteria"]) == pytest.approx(
            written[whole], abs=1e-9
        )
        for criterion in written["criteria"]:
            parts = math.fsum(each[key] for each in criterion["questions"])
            assert parts == pytest.approx(criterion[key], abs=1e-9)
    assert (written["score"], written["max_score"]) == (3.43, 4.0)  # 4 * 6/7 = 3.4285...


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """Reading gives back the record that was written, and a check its finding."""
    path = tmp_path / "deep" / "er" / "result.json"
    given = report(finding(call="mp_apply(4 tasks)"))
    result_json.write_result(given, path)
    found = result_json.read_result(path)
    assert found == result_json.as_result(given)
    assert result_json.dumps(found) == path.read_bytes()
    check = found.checks[0]
    assert (check.check, check.call) == ("no_leftovers", "mp_apply(4 tasks)")
    assert check.test == "test_mp_apply.py::test_nothing_outlives_the_call[spawn]"
    assert check.finding().concern is Concern.CLEANUP
    assert [(each.test, each.checks) for each in found.units()] == [(check.test, found.checks)]


def test_without_checks_all_points_could_be_had() -> None:
    """An ungradable submission has 0 of the assignment's points, not 0 of 0."""
    found = result_json.as_result(report(status=Status.UNGRADABLE, reason="no module"))
    assert (found.score, found.max_score) == (0.0, 4.0)
    assert [(each.points, each.max_points) for each in found.criteria] == [(0.0, 3.0), (0.0, 1.0)]


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("\x1b[2Jgone\r", "\\x1b[2Jgone\\x0d"),
        ("caf\udce9.py", "caf\\udce9.py"),
        ("\u202egnp.exe\x9b1m", "\\u202egnp.exe\\x9b1m"),
        ("two\nlines\tand ümläut 你好", "two\nlines\tand ümläut 你好"),
    ],
)
def test_hostile_text_is_escaped(given: str, written: str) -> None:
    """Whatever a submission prints or is called, the file is UTF-8, and nothing in it moves a
    terminal.
    """
    hostile = finding(
        message=given,
        hint=given,
        title=given,
        evidence={given: [{given: given}], "n": {"m": (given,)}},
    )
    found = json.loads(result_json.dumps(report(hostile, id=given, reason=given, note=given)))
    check = found["checks"][0]
    assert check["message"] == check["hint"] == check["title"] == written
    assert check["evidence"] == {written: [{written: written}], "n": {"m": [written]}}
    assert found["submission"]["id"] == found["submission"]["note"] == found["reason"] == written


def test_evidence_that_is_no_json_becomes_text() -> None:
    """Numbers that no JSON reader can hold, and values nested without end, do not break the
    file.
    """
    nested: list[object] = []
    nested.append(nested)
    odd = {
        "nan": float("nan"),
        "big": 10**30,
        "huge": 1 << 20_000,
        "path": Path("a"),
        "nested": nested,
        "ok": 2**63 - 1,
    }
    found = json.loads(result_json.dumps(report(finding(evidence=odd))))["checks"][0]["evidence"]
    assert (found["nan"], found["big"], found["path"], found["ok"]) == (
        "nan",
        hex(10**30),
        "a",
        2**63 - 1,
    )
    assert found["huge"].startswith("0x1000")


def test_file_is_replaced_at_once(tmp_path: Path) -> None:
    """The new file takes the old one's place, may be read by whom the umask lets, and nothing is
    left beside it.
    """
    path = tmp_path / "result.json"
    result_json.write_result(report(finding(), reason="old"), path)
    held = path.open("rb")
    before = os.umask(0o077)
    try:
        result_json.write_result(report(finding(), reason="new"), path)
    finally:
        os.umask(before)
    with held:
        assert json.loads(held.read())["reason"] == "old"
    assert result_json.read_result(path).reason == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["result.json"]


def test_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    """Where the new file cannot take its place, the error is told and no temporary file stays."""
    path = tmp_path / "result.json"
    path.mkdir()
    with pytest.raises(UsageError, match=r"cannot write .*result\.json: Is a directory"):
        result_json.write_result(report(finding()), path)
    assert os.listdir(tmp_path) == ["result.json"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot read"),
        ("", "is not a result file"),
        ("[]", "is not a result file"),
        (
            '{"schema": "mpgrade.result/9"}',
            "has the schema 'mpgrade.result/9'; this version reads 'mpgrade.result/2'",
        ),
        ('{"schema": "mpgrade.result/2"}', "is not a result file: .*assignment"),
        (GOLDEN.replace('"score": 0.0', '"score": "0.0"'), "is not a result file: .*score"),
        (GOLDEN.replace('"cleanup"', '"tidiness"'), "is not a result file: .*concern"),
        (GOLDEN.replace('"share": 0.0', '"share": "all"'), "is not a result file: .*share"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str | None, message: str) -> None:
    """A file that is missing, broken, or of another schema is wrong usage, and the message says
    which.
    """
    path = tmp_path / "refused.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UsageError, match=message):
        result_json.read_result(path)
