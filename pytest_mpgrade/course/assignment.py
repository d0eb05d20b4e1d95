"""Load assignments: one `assignment.toml` each, checked once and trusted from then on.

Called by the command line, the plugin and the doctor. Every mistake is one line with its place,
such as `assignments/mp_apply/assignment.toml:12: criteria[2].points: expected a number, got text`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from pytest_mpgrade.course import catalogue
from pytest_mpgrade.course.document import FILE, NOTEBOOK, Document
from pytest_mpgrade.course.document_decoding import decoded
from pytest_mpgrade.course.document_faults import document_faults
from pytest_mpgrade.course.signature import signature
from pytest_mpgrade.course.toml_text import TomlText
from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.records import (
    Assignment,
    Criterion,
    EnvironmentRules,
    ExploreRules,
    LateRules,
    Limits,
    NotebookRules,
    SpeedRules,
)
from pytest_mpgrade.system.did_you_mean import likely, nearest

__all__ = [
    "check_criteria",
    "find_assignment",
    "kept_from_students",
    "load_assignment",
    "reference_folder",
    "shipped",
]


def load_assignment(folder_or_toml: Path) -> Assignment:
    """Load the assignment in a folder (or its `assignment.toml`).

    Raises UsageError where there is none, AssignmentError with the places for mistakes in it.
    """
    source = _text_of(folder_or_toml)
    document = _sound(source)
    return Assignment(
        name=document.name,
        title=document.title,
        folder=str(source.file.parent.resolve()),
        module=document.module,
        functions=dict(signature(each) for each in document.functions),
        start_methods=document.start_methods,
        criteria=tuple(Criterion(**msgspec.structs.asdict(each)) for each in document.criteria),
        test_file=document.test,
        ordering=document.ordering,
        round=document.round,
        limits=Limits(**msgspec.structs.asdict(document.limits)),
        speedup=SpeedRules(**msgspec.structs.asdict(document.speedup)),
        explore=ExploreRules(**msgspec.structs.asdict(document.explore)),
        notebook=_notebook(document, source.file.parent.resolve()),
        environment=EnvironmentRules(**msgspec.structs.asdict(document.environment)),
        late=LateRules(**msgspec.structs.asdict(document.late)) if document.late else None,
    )


def _sound(source: TomlText) -> Document:
    """Decode a text. Raises AssignmentError with all mistakes in it."""
    document, faults = decoded(source.tables())
    if document is not None:
        # What else is wrong with a key that is left out, or with the sum of such criteria, is
        # nothing that the author has to hear.
        known = {str(where[0]) for where, _ in faults}
        known |= {"points"} if "criteria" in known else set()
        further = document_faults(document, source.file.parent)
        faults += [(where, what) for where, what in further if where[0] not in known]
    if document is None or faults:
        raise source.mistakes(faults)
    return document


def _notebook(document: Document, folder: Path) -> NotebookRules | None:
    """Return how the notebook is executed, or None where the assignment asks for a module."""
    if not document.module.endswith(NOTEBOOK):
        return None
    table = msgspec.structs.asdict(document.notebook)
    return NotebookRules(
        **table | {"files": str(folder / table["files"]) if table["files"] else ""}
    )


OWN = "; one of your own is found by its folder, or in the folders that MPGRADE_ASSIGNMENTS names"
"""What helps where no known name is similar."""


def find_assignment(name_or_path: str) -> Assignment:
    """Load an assignment by its name, or by the path of its folder or `assignment.toml`.

    What has a name, and which of several is taken, is said in `catalogue`.
    """
    path = Path(os.path.expanduser(name_or_path))
    if re.search(r"[/\\]|\.toml$|^\.\.?$", name_or_path):
        folder = path.parent if path.name == FILE else path
        if not folder.exists() and (near := likely(folder.name, _names_in(folder.parent))):
            told = f"; did you mean {str(folder.with_name(near))!r}?"
            raise UsageError(f"there is no assignment at {folder}{told}")
        return load_assignment(path)
    seen: list[catalogue.Source] = []
    for source in catalogue.all_sources():
        seen.append(source)
        for each in source.found:
            if each.name == name_or_path:
                return load_assignment(each.folder)
    # A folder without an assignment.toml is not meant: students name theirs like the assignment.
    if name_or_path and os.path.isfile(path / FILE):
        return load_assignment(path)
    names = list(dict.fromkeys(each.name for source in seen for each in source.found))
    faults = [f"; {source.origin}: {source.fault}" for source in seen if source.fault]
    near = nearest(name_or_path, [*names, *_names_in(Path())])
    raise UsageError(
        f"there is no assignment {name_or_path!r} (there are: {', '.join(names) or 'none'})"
        f"{near or OWN}{''.join(faults)}"
    )


def shipped() -> tuple[Assignment, ...]:
    """Load all assignments that come with the package, in the order of their names."""
    return tuple(load_assignment(folder) for folder in catalogue.shipped_folders())


def reference_folder(assignment: Assignment) -> Path | None:
    """Return the folder of the trusted solution, or None.

    What students install has no reference, nor have the folders of many authors.
    """
    folder = Path(assignment.folder)
    own, beside, above = (
        place / "reference" for place in (folder, folder.parent, folder.parent.parent)
    )
    places = (own, beside / assignment.name, above / assignment.name, beside)
    return next((found for found in places if (found / assignment.module).is_file()), None)


def kept_from_students(assignment: Assignment) -> tuple[str, ...]:
    """Return the folders that no submission may see: this assignment, its reference, its siblings.

    An installed course, or one in a virtual environment, lies where student code can read. What its
    other assignments are, and how they are solved, is nobody's business either.
    """
    home = Path(assignment.folder)
    reference = reference_folder(assignment)
    beside = [home.parent / "reference", home.parent.parent / "reference"]
    others = [file.parent for file in sorted(home.parent.glob(f"*/{FILE}"))]
    found = (home, *([reference] if reference else []), *beside, *others)
    return tuple(str(each) for each in dict.fromkeys(found) if each.is_dir())


def fingerprint(assignment: Assignment) -> str:
    """Return a hash of all that decides verdicts, except the submission.

    That is tests, data, limits, rules and points. The late rule is not part of it: it is applied to
    a verdict, and can be changed without grading again.
    """
    rules, data = assignment.notebook, ""
    if rules is not None:
        rules, data = dataclasses.replace(rules, files=""), rules.files
    whole = hashlib.sha256(
        repr(dataclasses.replace(assignment, folder="", notebook=rules, late=None)).encode()
    )
    files = [Path(assignment.folder, assignment.test_file)]
    files += sorted(path for path in Path(data).rglob("*") if path.is_file()) if data else []
    for file in files:
        whole.update(file.name.encode() + hashlib.sha256(file.read_bytes()).digest())
    return whole.hexdigest()


def check_criteria(assignment: Assignment, used: Mapping[str, str]) -> None:
    """Compare the rubric with the tests.

    *used* has the id of a test for each criterion that some test names. The plugin calls this after
    collection, before any test is deselected. Points that no test can give, or a test that gives no
    points, would make a wrong grade.
    """
    names = [criterion.name for criterion in assignment.criteria]
    source = _text_of(Path(assignment.folder))
    for name, test in used.items():
        if name not in names:
            raise source.mistake(
                ("criteria",), f"{test} names an unknown criterion {name!r}{nearest(name, names)}"
            )
    for index, name in enumerate(names):
        if name not in used:
            raise source.mistake(
                ("criteria", index, "name"), f"no test names the criterion {name!r}"
            )


def _names_in(folder: Path) -> list[str]:
    return sorted(file.parent.name for file in folder.glob(f"*/{FILE}"))


def _text_of(path: Path) -> TomlText:
    return TomlText.of(path if path.name == FILE else path / FILE)
