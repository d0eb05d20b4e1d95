"""The folder of pages that is made of results: one part for staff, one that can be handed out.

    REPORT/staff/class.html             the class
    REPORT/staff/NAME/report.html       one submission, with what is hidden
    REPORT/students/NAME/feedback.html  the same for its student

An executed notebook lies beside the pages of its submission. No page needs another one: each can be
mailed or printed alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_mpgrade.batch import archives
from pytest_mpgrade.batch.feedback.student import hold_criteria
from pytest_mpgrade.batch.packing import PAGE
from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.records import Criterion
from pytest_mpgrade.report import redaction
from pytest_mpgrade.report.pages.class_page import class_page
from pytest_mpgrade.report.pages.class_rows import ClassRow, class_row
from pytest_mpgrade.report.pages.student import Beside, staff_page, student_page
from pytest_mpgrade.report.result_json import ResultFile, read_result
from pytest_mpgrade.report.tables.item_analysis import Tally
from pytest_mpgrade.submission.python_files import python_files
from pytest_mpgrade.system import atomic_write
from pytest_mpgrade.system.text import counted

FOLDER = "report"
STAFF, STUDENTS = "staff", "students"
_CLASS, _REPORT, _README = "class.html", "report.html", "README.txt"
_OURS = "Pages of a grading, made by mpgrade report."
_ABOUT = f"""{_OURS}

staff/     for staff: it has what is hidden from students
students/  a folder for each student, which can be handed out as it is

This folder is made anew each time.
"""


def write_report(
    files: Sequence[Path],
    criteria: Sequence[Criterion] | None,
    out: Path,
    missing: Sequence[str] = (),
) -> Iterator[str]:
    """Write the pages of these result files into the folder *out*; yield lines about it.

    *criteria* are the assignment's, which alone say what is hidden from students; without them
    there are pages for staff only. *missing* are those who handed in nothing. Raises UsageError
    where *out* has something else in it, or a result is one of another assignment.
    """
    _make_room(out)
    rows: list[ClassRow] = []
    tally = Tally()
    assignment = ""
    for file in files:
        result = read_result(file)
        if criteria is not None:
            hold_criteria(result, criteria, file)
        assignment = assignment or result.assignment
        rows.append(_write_pages(result, file, criteria, out, alone=len(files) == 1))
        tally.add(result)
    if criteria is not None:
        yield f"{out / STUDENTS}: {counted(len(rows), 'page')} to hand out"
    if len(rows) == 1:
        yield f"{out / STAFF / rows[0].staff}: for staff, with what is hidden"
    else:
        page = class_page(assignment, rows, tally.items(), missing)
        _write(page, out / STAFF / _CLASS)
        yield f"{out / STAFF / _CLASS}: for staff, with what is hidden"


def write_feedback_page(file: Path, criteria: Sequence[Criterion], folder: Path) -> Path:
    """Write what the student reads of a result file, and its notebooks; return the page."""
    result = read_result(file)
    beside = _Beside.of(result, file)
    _write(_for_student(result, criteria, beside), folder / PAGE)
    beside.copy(folder)
    return folder / PAGE


@dataclass(frozen=True, kw_only=True)
class _Beside:
    """What is shown beside a result: the source, and the executed notebooks."""

    sources: dict[str, str]
    notebooks: tuple[Path, ...]

    @classmethod
    def of(cls, result: ResultFile, file: Path) -> _Beside:
        """Return what there is for a result; pages of notebooks lie beside its file."""
        handed_in = result.submission
        pages = sorted(file.parent.glob("*.html"))
        return cls(
            sources=python_files(Path(handed_in.path), handed_in.sha256),
            notebooks=tuple(page for page in pages if page.with_suffix(".ipynb").is_file()),
        )

    def on_page(self, **links: str) -> Beside:
        """Return it as a page takes it, with links to other pages."""
        named = {f"Notebook as executed ({page.stem})": page.name for page in self.notebooks}
        shown = {words.replace("_", " "): address for words, address in links.items()}
        return Beside(sources=self.sources, notebooks=named, links=shown)

    def copy(self, folder: Path) -> None:
        """Copy the notebooks' pages into a folder."""
        for page in self.notebooks:
            atomic_write.write_bytes(page.read_bytes(), folder / page.name)


def _write_pages(
    result: ResultFile,
    file: Path,
    criteria: Sequence[Criterion] | None,
    out: Path,
    *,
    alone: bool,
) -> ClassRow:
    """Write the pages of one result; return its row of the class."""
    name = file.resolve().parent.name
    beside = _Beside.of(result, file)
    links = {} if alone else {"The_class": f"../{_CLASS}"}
    student = ""
    if criteria is not None:
        student = f"../{STUDENTS}/{name}/{PAGE}"
        links["As_the_student_sees_it"] = f"../{student}"
        _write(_for_student(result, criteria, beside), out / STUDENTS / name / PAGE)
        beside.copy(out / STUDENTS / name)
    staff = staff_page(result, criteria or _known(result), beside.on_page(**links))
    _write(staff, out / STAFF / name / _REPORT)
    beside.copy(out / STAFF / name)
    return class_row(result, staff=f"{name}/{_REPORT}", student=student)


def _for_student(result: ResultFile, criteria: Sequence[Criterion], beside: _Beside) -> str:
    shown, rubric = redaction.redacted(result, criteria)
    return student_page(shown, rubric, beside.on_page())


def _known(result: ResultFile) -> tuple[Criterion, ...]:
    """Return the rubric as far as a result alone says it."""
    return tuple(
        Criterion(name=each.name, title=each.title, points=each.max_points)
        for each in result.criteria
    )


def _make_room(out: Path) -> None:
    """Empty the folder of an earlier report; raise UsageError where it is none."""
    readme = out / _README
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        try:
            ours = readme.read_text("utf-8").startswith(_OURS)
        except (OSError, UnicodeDecodeError):
            ours = False
        if not ours:
            raise UsageError(f"{out} is there already, and is no report: name a new folder")
    for folder in (STAFF, STUDENTS):
        if (out / folder).exists():
            archives.clear(out / folder)
            (out / folder).rmdir()
    atomic_write.write_bytes(_ABOUT.encode(), readme)


def _write(page: str, path: Path) -> None:
    atomic_write.write_bytes(page.encode("utf-8", "backslashreplace"), path)
