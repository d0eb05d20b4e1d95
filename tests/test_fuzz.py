"""Every parser of what a student's process or a course system wrote, given what nobody would write.

Bar: no exception but our own, no more than 100 MB, no input that takes more than a second of CPU time. `make test` does
this for some seconds; `make fuzz` for a minute, or for as long as it is asked to.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
import tempfile
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from datetime import timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pytest_mpgrade.batch import archives, overrides, roster, source
from pytest_mpgrade.batch.cluster import bundle
from pytest_mpgrade.errors import MpgradeError
from pytest_mpgrade.inside import plain_data
from pytest_mpgrade.records import Assignment, Criterion
from pytest_mpgrade.report import result_json
from pytest_mpgrade.report.tables import course_gradebook
from pytest_mpgrade.report.tables.course_gradebook import Grade
from pytest_mpgrade.run.client import answers
from pytest_mpgrade.run.observe import gate_socket
from pytest_mpgrade.submission import discover, notebooks

EXAMPLES = int(os.environ.get("MPGRADE_FUZZ_EXAMPLES", "40"))
MOST_BYTES, MOST_SECONDS = 100_000_000, 1.0
SLOWER = {"metadata": 10.0}
"""PyYAML takes longer to give up on thousands of brackets in each other; the file is a course system's."""

MODULE = b"import os\n\ndef calculate(func, args):\n    return func(*args)\n\nclass A:\n    x: int = 3  # \xc3\xa4\n"
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
    with tarfile.open(fileobj=data, mode=mode, format=tarfile.PAX_FORMAT) as tape:  # type: ignore[call-overload]
        for name in ("cv_funcs.py", "x" * 120, "ä/b.py"):
            member = tarfile.TarInfo(name)
            member.size = len(MODULE)
            tape.addfile(member, io.BytesIO(MODULE))
    return data.getvalue()


NOTEBOOK = json.dumps(
    {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "cells": [
            {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# x"},
            {
                "cell_type": "code", "id": "b", "metadata": {"tags": ["x"]}, "execution_count": 1,
                "outputs": [{"output_type": "stream", "name": "stdout", "text": ["1\n"]}],
                "source": ["%matplotlib inline\n", "import os\n", "def f():\n", "    return 1\n"],
            },
        ],
    }
).encode()  # fmt: skip

# --- targets: what reads it, and something that it would read


def _file(name: str, read: Callable[[Path], object]) -> Callable[[Path, bytes], object]:
    def target(place: Path, data: bytes) -> object:
        (place / name).write_bytes(data)
        return read(place / name)

    return target


def _gate(_: Path, data: bytes) -> None:
    message = gate_socket._parse(1, 2, data)
    assert message.kind
    assert isinstance(message.body, dict)


def _answer(place: Path, data: bytes) -> None:
    (place / "call.json").write_bytes(data)
    found = answers.answer(str(place), "call", 1_000_000)
    assert found.value is None or isinstance(found.value, list)
    plain_data.shown(found.value)
    plain_data.decode(found.value)


def _gradebook(_: Path, data: bytes) -> None:
    for system in course_gradebook.SYSTEMS:
        try:
            text, encoding = course_gradebook.decode(data)
            grades = [Grade(submission="a", keys=frozenset(("1", "jd")), score=2.5)]
            course_gradebook.fill(system, text, ASSIGNMENT, grades).text.encode(encoding)
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
        return source.load(place / "class", place / "out")

    return target


def _unpack(name: str) -> Callable[[Path, bytes], object]:
    def read(path: Path) -> None:
        for word in archives.unpack_theirs(path, path.parent / "into"):
            assert word
        left = [each for each in (path.parent / "into").rglob("*") if each.is_symlink()]
        assert not left

    return _file(name, read)


def _notebook(name: str) -> Callable[[Path, bytes], object]:
    return _file(name, lambda path: notebooks.extract(path, path.name))


CSV = (
    b'ID,SIS User ID,Student,HW (12),due,extension_days\n"1","jd","Doe, Jane",,2026-03-02 09:00,2\n2,as,"A ""S""",5,,\n'
)
OVERRIDES = b"submission,criterion,points,reason,who\na,values,2.5,regraded,prof\n"
ANSWER = (
    b'{"facts": {"side_effects": []}, "value": ["list", ["int", "1"], ["ndarray", "<f8", [2], "AAAA"]], "error": null}'
)
MARKDOWN = b"---\njupyter:\n  jupytext:\n    x: 1\n---\n\n```python\nimport os\n```\n"
SCRIPT = b"# ---\n# jupyter:\n#   jupytext:\n#     x: 1\n# ---\n# %%\nimport os\n# %% [markdown]\n# a\n"
METADATA = b"submission_1:\n  :submitters:\n  - :sid: '1'\n    :name: x\n  :created_at: 2026\n"
RESULT = b'{"schema": "mpgrade.result/2", "assignment": "x", "status": "graded"}'
TARGETS: Mapping[str, tuple[Callable[[Path, bytes], object], bytes]] = {
    "gate message": (_gate, b'{"kind": "gate", "pid": 7, "key": "3"}'),
    "answer": (_answer, ANSWER),
    "module": (_file("cv_funcs.py", lambda path: discover.discover(path.parent, ASSIGNMENT)), MODULE),
    "ipynb": (_notebook("hw.ipynb"), NOTEBOOK),
    "markdown notebook": (_notebook("hw.md"), MARKDOWN),
    "script notebook": (_notebook("hw.py"), SCRIPT),
    "zip": (_unpack("a.zip"), _zip(**{"cv_funcs.py": MODULE, "a/b": b"x" * 300})),
    "tar": (_unpack("a.tar"), _tar("w")),
    "tar.gz": (_unpack("a.tar.gz"), _tar("w:gz")),
    "tar.bz2": (_unpack("a.tar.bz2"), _tar("w:bz2")),
    "tar.xz": (_unpack("a.tar.xz"), _tar("w:xz")),
    "bundle": (lambda place, data: bundle.unpack(data, place / "in"), _tar("w:gz")),
    "gradebook": (_gradebook, CSV),
    "roster": (_file("roster.csv", lambda path: roster.read(path, timezone.utc)), CSV),
    "overrides": (_file("overrides.csv", lambda path: overrides.read(path, ["a"], CRITERIA)), OVERRIDES),
    "metadata": (_class("submission_metadata.yml"), METADATA),
    "scores": (_class("scores.csv"), b"username,datetime\n1,2026-03-02T09:00:00Z\n"),
    "result": (_file("result.json", result_json.read), RESULT),
}

INTERESTING = [
    b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"[" * 3000, b"{" * 3000, b"(" * 3000, b'{"a":' * 2000, b"9" * 5000,
    b"1e999", b"-", b"NaN", b"\\ud800", b'"', b'""', b",", b";", b"\r", b"\n", b"\t", b"../", b"&a [*a]", b"%%", b"!x",
    b"\x1b[2J", b"lambda:" * 500, b"-" * 3000, b"coding: utf-16", b"# coding: hex", b"99999999999", b"\xe2\x80\xae",
]  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn, seed: bytes) -> bytes:
    """Return *seed* with some of it cut out, written twice, or replaced by something that parsers stumble over."""
    data = seed
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 40)))
        middle = draw(
            st.one_of(st.sampled_from(INTERESTING), st.binary(max_size=12), st.just(data[start:end] * 2), st.just(b""))
        )
        data = data[:start] + middle + data[end:]
    return data


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_escapes(name: str) -> None:
    """Whatever is read is taken, or is refused by an error of ours."""
    target, seed = TARGETS[name]

    @settings(
        max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True,
        phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    )  # fmt: skip
    @given(st.one_of(mutated(seed), st.binary(max_size=200)))
    def holds(data: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            began = time.thread_time()
            try:
                target(Path(folder), data)
            except MpgradeError:
                pass
            assert time.thread_time() - began < SLOWER.get(name, MOST_SECONDS)

    # What is imported for the first time is not an input's cost; and what is made of a seed comes far if that is read.
    with tempfile.TemporaryDirectory() as folder, suppress(MpgradeError) if name == "result" else nullcontext():
        target(Path(folder), seed)
    holds()


def seeds_of(name: str) -> Path:
    """Return the folder of what fuzz_bytes.py has found to reach other branches than its neighbours."""
    return Path(__file__).parent / "seeds" / name.replace(" ", "_")


@pytest.mark.parametrize("name", TARGETS)
def test_seeds(name: str) -> None:
    """What once reached another branch of a parser is taken, or is refused by an error of ours."""
    target, _ = TARGETS[name]
    found = sorted(seeds_of(name).iterdir())
    assert found
    for path in found:
        with tempfile.TemporaryDirectory() as folder, suppress(MpgradeError):
            target(Path(folder), path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_no_input_is_large_in_memory(name: str) -> None:
    """A few kilobytes never become 100 MB."""
    target, seed = TARGETS[name]
    for strange in INTERESTING:
        data = seed[: len(seed) // 2] + strange * 20 + seed[len(seed) // 2 :]
        tracemalloc.start()
        try:
            with tempfile.TemporaryDirectory() as folder, suppress(MpgradeError):
                target(Path(folder), data)
            assert tracemalloc.get_traced_memory()[1] < MOST_BYTES, strange
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize(
    "value",
    [
        None, True, -5, 10**2000, 2**5000, 1.5, float("-inf"), float("nan"), -0.0, 5e-324, 1j, "", "x" * 70_000,
        "\ud800", b"ab", bytearray(b"abc"), b"x" * 70_000, [1, [2]], (1,), {1, 2}, frozenset(), {1: {2: "a\nb"}},
        object(), range(3),
    ],
    ids=lambda value: repr(value)[:20],
)  # fmt: skip
def test_what_our_own_child_writes_is_read(tmp_path: Path, value: object) -> None:
    """Being strict costs no right solution anything: whatever a function returns has a form that is known."""
    (tmp_path / "call.json").write_text(json.dumps({"value": plain_data.encode(value)}))
    assert answers.answer(str(tmp_path), "call", 1_000_000).value == plain_data.encode(value)


@pytest.mark.parametrize(
    "forged",
    [
        '{"value": ["list"]}', '{"value": ["int"]}', '{"value": ["float", "x"]}', '{"value": {"a": 1}}', '{"value": 3}',
        '{"value": ["dict", [1]]}', '{"value": ["nothing"]}', '{"queues": [["int", "1"]]}', '{"functions": {"f": [1]}}',
        '{"facts": {"side_effects": 7}}', '{"value": ["str", 7]}', '{"value": ["int", "0x"]}', '{"value": ["none", 1]}',
    ],
)  # fmt: skip
def test_what_only_a_forger_writes_is_no_answer(tmp_path: Path, forged: str) -> None:
    """What a check could break on is no answer: a check that breaks counts neither way."""
    (tmp_path / "call.json").write_text(forged)
    assert answers.answer(str(tmp_path), "call", 1_000_000).value == ["object", answers.UNREADABLE]
