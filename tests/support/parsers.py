"""Every parser of what a student or a course system wrote, as a function of bytes; and the seeds of
a fuzzer.
"""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from datetime import timezone
from pathlib import Path

from pytest_mpgrade.batch import archives, overrides, roster, source
from pytest_mpgrade.batch.cluster import bundle
from pytest_mpgrade.errors import MpgradeError
from pytest_mpgrade.inside import plain_data
from pytest_mpgrade.records import Assignment, Criterion, python_value
from pytest_mpgrade.report import result_json
from pytest_mpgrade.report.tables import course_gradebook
from pytest_mpgrade.report.tables.course_gradebook import Grade
from pytest_mpgrade.run.client import answers
from pytest_mpgrade.run.observe import gate_socket
from pytest_mpgrade.submission import discover, notebooks
from support.running import ROOT

MODULE = (
    b"import os\n\ndef calculate(func, args):\n    return func(*args)\n\nclass A:\n    x: int = 3 "
    b" # \xc3\xa4\n"
)

CRITERIA = (Criterion(name="values", points=3.0), Criterion(name="cleanup", points=1.0))

ASSIGNMENT = Assignment(
    name="mp_apply",
    title="Apply",
    folder=".",
    module="cv_funcs.py",
    functions={"calculate": ("func", "args")},
    start_methods=("fork",),
    criteria=CRITERIA,
    test_file="t.py",
)


def _zip(**members: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as whole:
        for name, content in members.items():
            whole.writestr(name, content)
    return data.getvalue()


def _tar(mode: str) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=mode, format=tarfile.PAX_FORMAT) as tape:  # type: ignore[call-overload]  # - *mode* is any text
        for name in ("cv_funcs.py", "x" * 120, "ä/b.py"):
            member = tarfile.TarInfo(name)
            member.size = len(MODULE)
            tape.addfile(member, io.BytesIO(MODULE))
    return data.getvalue()


NOTEBOOK = json.dumps(
    {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
        },
        "cells": [
            {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# x"},
            {
                "cell_type": "code",
                "id": "b",
                "metadata": {"tags": ["x"]},
                "execution_count": 1,
                "outputs": [{"output_type": "stream", "name": "stdout", "text": ["1\n"]}],
                "source": ["%matplotlib inline\n", "import os\n", "def f():\n", "    return 1\n"],
            },
        ],
    }
).encode()


def _file(name: str, read: Callable[[Path], object]) -> Callable[[Path, bytes], object]:
    def target(place: Path, data: bytes) -> object:
        (place / name).write_bytes(data)
        return read(place / name)

    return target


def _gate(_: Path, data: bytes) -> None:
    message = gate_socket._parse(1, 2, data)
    assert message.kind
    assert message.pid == 2


def _answer(place: Path, data: bytes) -> None:
    (place / "call.json").write_bytes(data)
    found = answers.answer(str(place), "call", 1_000_000)
    assert found.value is None or isinstance(found.value, list)
    plain_data.shown(found.value)
    python_value(found.value)


def _gradebook(_: Path, data: bytes) -> None:
    for system in course_gradebook.SYSTEMS:
        try:
            text, encoding = course_gradebook.decode_sheet(data)
            grades = [Grade(submission="a", keys=frozenset(("1", "jd")), score=2.5)]
            checked = course_gradebook.checked_sheet(system, text, ASSIGNMENT)
            course_gradebook.fill(checked, grades).text.encode(encoding)
        except MpgradeError:
            continue


def _class(file: str) -> Callable[[Path, bytes], object]:
    """A whole folder of submissions with a strange file in it."""

    def target(place: Path, data: bytes) -> object:
        for name in ("submission_1", "submission_2"):
            (place / "class" / name).mkdir(parents=True, exist_ok=True)
            (place / "class" / name / "cv_funcs.py").write_bytes(MODULE)
            (place / "class" / name / ".git").mkdir(exist_ok=True)
        (place / "class" / file).write_bytes(data)
        return source.load_source(place / "class", place / "out")

    return target


def _unpack(name: str) -> Callable[[Path, bytes], object]:
    def read(path: Path) -> None:
        found = archives.unpack_theirs(path, path.parent / "into")
        assert not (found.broken and found.left_out)
        left = [each for each in (path.parent / "into").rglob("*") if each.is_symlink()]
        assert not left

    return _file(name, read)


def _notebook(name: str) -> Callable[[Path, bytes], object]:
    return _file(name, lambda path: notebooks.extract(path, path.name))


CSV = (
    b'ID,SIS User ID,Student,HW (12),due,extension_days\n"1","jd","Doe, Jane",,2026-03-02'
    b' 09:00,2\n2,as,"A ""S""",5,,\n'
)

OVERRIDES = b"submission,criterion,points,reason,who\na,values,2.5,regraded,prof\n"

ANSWER = (
    b'{"facts": {"side_effects": []}, "value": ["list", ["int", "1"], ["ndarray", "<f8", [2],'
    b' "AAAA"]], "error": null}'
)

MARKDOWN = b"---\njupyter:\n  jupytext:\n    x: 1\n---\n\n```python\nimport os\n```\n"

SCRIPT = (
    b"# ---\n# jupyter:\n#   jupytext:\n#     x: 1\n# ---\n# %%\nimport os\n# %% [markdown]\n# a\n"
)

METADATA = b"submission_1:\n  :submitters:\n  - :sid: '1'\n    :name: x\n  :created_at: 2026\n"

RESULT = b'{"schema": "mpgrade.result/2", "assignment": "x", "status": "graded"}'

TARGETS: Mapping[str, tuple[Callable[[Path, bytes], object], bytes]] = {
    "gate message": (_gate, b'{"kind": "gate", "pid": 7, "key": "3"}'),
    "answer": (_answer, ANSWER),
    "module": (
        _file("cv_funcs.py", lambda path: discover.discover(path.parent, ASSIGNMENT)),
        MODULE,
    ),
    "ipynb": (_notebook("hw.ipynb"), NOTEBOOK),
    "markdown notebook": (_notebook("hw.md"), MARKDOWN),
    "script notebook": (_notebook("hw.py"), SCRIPT),
    "zip": (_unpack("a.zip"), _zip(**{"cv_funcs.py": MODULE, "a/b": b"x" * 300})),
    "tar": (_unpack("a.tar"), _tar("w")),
    "tar.gz": (_unpack("a.tar.gz"), _tar("w:gz")),
    "tar.bz2": (_unpack("a.tar.bz2"), _tar("w:bz2")),
    "tar.xz": (_unpack("a.tar.xz"), _tar("w:xz")),
    "bundle": (lambda place, data: bundle.unpack_bundle(data, place / "in"), _tar("w:gz")),
    "gradebook": (_gradebook, CSV),
    "roster": (_file("roster.csv", lambda path: roster.read_roster(path, timezone.utc)), CSV),
    "overrides": (
        _file("overrides.csv", lambda path: overrides.read_overrides(path, ["a"], CRITERIA)),
        OVERRIDES,
    ),
    "metadata": (_class("submission_metadata.yml"), METADATA),
    "scores": (_class("scores.csv"), b"username,datetime\n1,2026-03-02T09:00:00Z\n"),
    "result": (_file("result.json", result_json.read_result), RESULT),
}


def seeds_of(name: str) -> Path:
    """Return the folder of what fuzz_bytes.py has found to reach other branches than its
    neighbours.
    """
    return ROOT / "tests" / "data" / "seeds" / name.replace(" ", "_")
