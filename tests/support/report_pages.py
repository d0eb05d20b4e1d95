"""Pages of real results, and of a submission all of whose words are markup."""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_mpgrade.batch.report_folder import write_report
from pytest_mpgrade.course.assignment import find_assignment
from pytest_mpgrade.records import Concern, Criterion, Outcome, Submission
from pytest_mpgrade.report.pages.class_rows import ClassRow, QuestionCell, class_row
from pytest_mpgrade.report.pages.diff_page import diff_page
from pytest_mpgrade.report.result_changes import result_changes
from pytest_mpgrade.report.result_json import ResultFile, read_result, write_result
from pytest_mpgrade.submission.digest import digest
from pytest_mpgrade.submission.discover import own_files
from support.export_formats import check_part
from support.results import result
from support.running import ROOT

APPROVED = ROOT / "tests" / "data" / "approved"
SOURCES = {
    "ada": ROOT / "examples/class/ada/cv_funcs.py",
    "never_joins": ROOT / "assignments/mp_apply/wrong/never_joins.py",
    "drops_last": ROOT / "assignments/mp_apply/starter/cv_funcs.py",
    "starter": ROOT / "assignments/mp_apply/starter/cv_funcs.py",
    "typo": ROOT / "assignments/mp_apply/starter/cv_funcs.py",
}
EVIL = (
    "</pre></td></title></style></script><script>document.title='run'</script>"
    "<style>body{display:none}</style><svg onload=\"document.title='run'\"></svg>"
    "<img src=http://127.0.0.1:9/x onerror=\"document.title='run'\">"
    "' \" {{ 7*7 }} {% if %} &#x3c;b> \x1b[2J\x07 \u202edesrever\u202c \u2066x\u2069 שלום"
)
"""What a submission may write anywhere: scripts, styles, SVG, quotes, templates, control characters
and characters that turn the direction of text. Letters that are read from the right are harmless.
"""


def write_class(folder: Path) -> Path:
    """Write results with their submissions, and their pages; return the folder of pages."""
    files = []
    for name, source in SOURCES.items():
        own = folder / "submissions" / name
        own.mkdir(parents=True)
        shutil.copy(source, own / "cv_funcs.py")
        found = read_result(APPROVED / name / "result.json")
        sha256 = digest(own_files(own)) if found.submission.sha256 else ""
        part = replace(found.submission, path=str(own), sha256=sha256)
        files.append(folder / "results" / name / "result.json")
        write_result(replace(found, submission=part), files[-1])
    files.append(folder / "results" / "evil" / "result.json")
    write_result(evil(folder), files[-1])
    criteria = (*find_assignment("mp_apply").criteria, *EVIL_CRITERIA)
    list(write_report(files, criteria, folder / "report", missing=[EVIL]))
    old, new = (read_result(APPROVED / name / "result.json") for name in ("never_joins", "ada"))
    page = diff_page(EVIL, "old", EVIL, list(result_changes({"a": old}, {"a": new, "b": old})), 2)
    (folder / "report" / "staff" / "diff.html").write_text(page, "utf-8")
    return folder / "report"


EVIL_CRITERIA = (
    Criterion(name="evil", title=EVIL, points=2),
    Criterion(name="secret", title="Secretive", points=1, hidden=True),
)


def evil(folder: Path) -> ResultFile:
    """Return the result of a submission all of whose words are markup, and write its source."""
    name = "<b onclick=x>\u202e'&.py"
    own = folder / "submissions" / "evil"
    own.mkdir(parents=True)
    (own / name).write_text(f"x = '''{EVIL}\n'''\n# {EVIL}\n", "utf-8")
    (own / "<script>.py").write_text(EVIL, "utf-8")
    said: dict[str, Any] = {"message": EVIL, "hint": EVIL}
    evidence = {
        "source": {"file": name, "line": 1, "code": EVIL},
        "lines": [f"a worker died at {name}:1: {EVIL}"],
        "stacks": [{"pid": 1, "frames": [f"{name}:2 {EVIL}"]}],
        "printed": EVIL.splitlines() * 3,
        EVIL: {EVIL: [EVIL]},
        "call": f"f({EVIL})",
    }
    found = [
        check_part("t.py::test_a[fork]", "evil", evidence=evidence, **said),
        check_part("t.py::test_b[fork]", "evil", Outcome.ERROR, **said),
        check_part("t.py::test_c[fork]", "evil", Outcome.PASSED),
        check_part("t.py::test_secretive[fork]", "secret", concern=Concern.CLEANUP, **said),
    ]
    handed_in = Submission(
        id=EVIL, path=str(own), module=name, sha256=digest(own_files(own)), note=EVIL
    )
    return result(found, EVIL_CRITERIA, submission=handed_in)


def large_class(students: int, questions: int) -> Sequence[ClassRow]:
    """Return the rows of a large class, made of real results; the same each time."""
    chance = random.Random(27)
    known = [class_row(read_result(APPROVED / name / "result.json")) for name in SOURCES]
    rows = []
    for number in range(students):
        one = chance.choice(known)
        cells = tuple(
            _cell(f"test_x.py::test_{place}", f"What question {place} asks", chance.random())
            for place in range(questions)
        )
        rows.append(
            replace(
                one,
                id=f"Student {number:03} of the class",
                staff=f"{number}/report.html",
                student=f"../students/{number}/feedback.html",
                questions=cells if one.points is not None else (),
            )
        )
    return rows


def _cell(id: str, title: str, share: float) -> QuestionCell:
    earned = 1.0 if share > 0.4 else round(share, 2)
    outcome = Outcome.PASSED if earned == 1 else Outcome.FAILED
    return QuestionCell(
        id=id, title=title, criterion="All", points=earned, max_points=1.0, outcome=outcome
    )
