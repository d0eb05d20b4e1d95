"""Every parser of what a student's process or a course system wrote, given what nobody would write.

Bar: no exception but our own, no more than 100 MB, no input that takes more than a second of CPU
time. `make test` does this for some seconds; `make fuzz` for a minute, or for as long as it is
asked to.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
import tracemalloc
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pytest_mpgrade.errors import MpgradeError
from pytest_mpgrade.inside import plain_data
from pytest_mpgrade.run.client import answers
from support.parsers import TARGETS, seeds_of

EXAMPLES = int(os.environ.get("MPGRADE_FUZZ_EXAMPLES", "40"))
MOST_BYTES, MOST_SECONDS = 100_000_000, 1.0
SLOWER = dict.fromkeys(("metadata", "markdown notebook", "script notebook"), 10.0)
"""PyYAML takes longer to give up on thousands of brackets in each other, up to Python's limit of
recursion: in a course system's file, and in the header of a text notebook.
"""


# --- targets: what reads it, and something that it would read


INTERESTING = [
    b"\x00",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"[" * 3000,
    b"{" * 3000,
    b"(" * 3000,
    b'{"a":' * 2000,
    b"9" * 5000,
    b"1e999",
    b"-",
    b"NaN",
    b"\\ud800",
    b'"',
    b'""',
    b",",
    b";",
    b"\r",
    b"\n",
    b"\t",
    b"../",
    b"&a [*a]",
    b"%%",
    b"!x",
    b"\x1b[2J",
    b"lambda:" * 500,
    b"-" * 3000,
    b"coding: utf-16",
    b"# coding: hex",
    b"99999999999",
    b"\xe2\x80\xae",
]


@st.composite
def mutated(draw: st.DrawFn, seed: bytes) -> bytes:
    """Return *seed* with some of it cut out, written twice, or replaced by something that parsers
    stumble over.
    """
    data = seed
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 40)))
        middle = draw(
            st.one_of(
                st.sampled_from(INTERESTING),
                st.binary(max_size=12),
                st.just(data[start:end] * 2),
                st.just(b""),
            )
        )
        data = data[:start] + middle + data[end:]
    return data


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_escapes(name: str) -> None:
    """Whatever is read is taken, or is refused by an error of ours."""
    target, seed = TARGETS[name]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
        phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    )
    @given(st.one_of(mutated(seed), st.binary(max_size=200)))
    def holds(data: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            began = time.thread_time()
            try:
                target(Path(folder), data)
            except MpgradeError:
                pass
            assert time.thread_time() - began < SLOWER.get(name, MOST_SECONDS)

    # What is imported for the first time is not an input's cost; and what is made of a seed comes
    # far if that is read.
    with (
        tempfile.TemporaryDirectory() as folder,
        suppress(MpgradeError) if name == "result" else nullcontext(),
    ):
        target(Path(folder), seed)
    holds()


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
        None,
        True,
        -5,
        10**2000,
        2**5000,
        1.5,
        float("-inf"),
        float("nan"),
        -0.0,
        5e-324,
        1j,
        "",
        "x" * 70_000,
        "\ud800",
        b"ab",
        bytearray(b"abc"),
        b"x" * 70_000,
        [1, [2]],
        (1,),
        {1, 2},
        frozenset(),
        {1: {2: "a\nb"}},
        object(),
        range(3),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_our_own_child_writes_is_read(tmp_path: Path, value: object) -> None:
    """Being strict costs no right solution anything: whatever a function returns has a form that is
    known.
    """
    (tmp_path / "call.json").write_text(json.dumps({"value": plain_data.encode(value)}))
    assert answers.answer(str(tmp_path), "call", 1_000_000).value == plain_data.encode(value)


@pytest.mark.parametrize(
    "forged",
    [
        '{"value": ["list"]}',
        '{"value": ["int"]}',
        '{"value": ["float", "x"]}',
        '{"value": {"a": 1}}',
        '{"value": 3}',
        '{"value": ["dict", [1]]}',
        '{"value": ["nothing"]}',
        '{"queues": [["int", "1"]]}',
        '{"functions": {"f": [1]}}',
        '{"facts": {"side_effects": 7}}',
        '{"value": ["str", 7]}',
        '{"value": ["int", "0x"]}',
        '{"value": ["none", 1]}',
    ],
)
def test_what_only_a_forger_writes_is_no_answer(tmp_path: Path, forged: str) -> None:
    """What a check could break on is no answer: a check that breaks counts neither way."""
    (tmp_path / "call.json").write_text(forged)
    assert answers.answer(str(tmp_path), "call", 1_000_000).value == ["object", answers.UNREADABLE]
