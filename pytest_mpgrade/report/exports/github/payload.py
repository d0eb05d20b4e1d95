"""What classroom-resources/autograding-grading-reporter reads: a payload for each of its runners.

Its table shows ``max_score * passed / len(tests)``, its notice the sum of the tests' scores. Both
are the same where the tests of a runner weigh the same and are passed whole or not at all, so each
criterion is a runner of its own: with a test for each unit of its questions where that gives its
points, else with k passed of n equal parts that stand for them.
"""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from pytest_mpgrade.records import Criterion, Outcome, Status
from pytest_mpgrade.report import evidence, grouping
from pytest_mpgrade.report.exports.criteria import CriterionLine, criterion_lines
from pytest_mpgrade.report.result_json import CheckPart, ResultFile, UnitOf
from pytest_mpgrade.system.text import no_commands, one_line, points

Payload = dict[str, Any]
"""JSON of any depth."""
_Test = Mapping[str, object]

WHOLE = "result"
"""The output with one payload for everything, for workflows with a single runner."""
VERSION = 3  # of the payload, as the graders for Python write it
MOST_TESTS = 100
"""A criterion with more units than that is exported as parts."""
_ROUNDED = 0.005 + 1e-9
"""Points are rounded to hundredths."""
LONGEST = 500
"""Characters of a message, and of an output."""
MOST_BYTES = 30_000
"""Bytes of one payload.

The reporter gets each as a variable, which Linux limits to 128 KiB, and all of them to 2 MiB.
"""
_UNIT = 2.0**-30
"""Shares are multiples of a power of two, so that the reporter's sum of floats is exact."""
_LONGEST_NAME = 100
"""Characters; a longer name would take what `MOST_BYTES` leaves for messages."""


def render(result: ResultFile, criteria: Sequence[Criterion]) -> str:
    """Return all outputs by name, and the reporter's input `runners`."""
    payloads = outputs(result, criteria)
    runners = ",".join(name for name in payloads if name != WHOLE)
    return json.dumps({"runners": runners, "outputs": payloads}, ensure_ascii=False, indent=1)


def outputs(result: ResultFile, criteria: Sequence[Criterion]) -> dict[str, Payload]:
    """Return a payload for each criterion, by its runner's id, and one for the whole."""
    ids = runner_ids(criteria)
    lines = criterion_lines(result, criteria)
    made = {ids[line.name]: _runner(result, line) for line in lines} | {
        WHOLE: _whole(result, lines)
    }
    return {name: _fitting(body) for name, body in made.items()}


def runner_ids(criteria: Sequence[Criterion]) -> dict[str, str]:
    """Return an id for each criterion's name.

    An id has letters and digits, a letter first, as expressions and variables of GitHub Actions
    require.
    """
    ids: dict[str, str] = {}
    for criterion in criteria:
        plain = re.sub(r"[^a-z0-9]", "", criterion.name.lower())
        plain = plain if plain[:1].isalpha() else f"c{plain}"
        numbered = (f"{plain}{number}" for number in itertools.count(2))
        taken = {WHOLE, *ids.values()}
        ids[criterion.name] = next(
            each for each in itertools.chain([plain], numbered) if each not in taken
        )
    return ids


def _runner(result: ResultFile, line: CriterionLine) -> Payload:
    units = [
        each for each in result.units() if each.criterion == line.name and not each.unit.undecided
    ]
    if result.status is not Status.GRADED:
        tests = [_test(line.title, status="error", message=line.text)]
    elif not line.max_score:
        # A test that is passed would be shown with a point by some releases of the reporter, though
        # there is none.
        tests = [
            _test(
                f"{line.title}: no points, nothing was decided here",
                status="error",
                message=line.text,
            )
        ]
    elif _whole_and_equal(units, line):
        tests = list(_units(units, line.max_score))
    else:
        tests = list(_parts(line))
    return _payload(_status(result, line.passed), line.max_score, tests)


def _whole(result: ResultFile, lines: Sequence[CriterionLine]) -> Payload:
    """Return a test for each criterion with its exact points.

    Of this payload only the notice shows the points.
    """
    tests = [
        _test(line.title, status=_status(result, line.passed), score=line.score, message=line.text)
        for line in lines
    ]
    return _payload(
        _status(result, all(line.passed for line in lines)),
        sum(line.max_score for line in lines),
        tests,
    )


def _payload(status: str, most: float, tests: Sequence[_Test]) -> Payload:
    return {"version": VERSION, "status": status, "max_score": most, "tests": list(tests)}


def _status(result: ResultFile, passed: bool) -> str:
    if result.status is not Status.GRADED:
        return "error"
    return "pass" if passed else "fail"


def _whole_and_equal(units: Sequence[UnitOf], line: CriterionLine) -> bool:
    """Tell whether the passed units, each worth an equal part, add up to the criterion's points.

    They may differ by rounding.
    """
    passed = sum(each.unit.share == 1 for each in units)
    whole = 0 < len(units) <= MOST_TESTS and all(each.unit.share in (0, 1) for each in units)
    return whole and abs(line.max_score * passed / len(units) - line.score) <= _ROUNDED


def _units(units: Sequence[UnitOf], most: float) -> Iterator[_Test]:
    passed = [each.unit.share == 1 for each in units]
    scores = iter(_shares(most * sum(passed) / len(units), sum(passed)))
    for each, earned in zip(units, passed, strict=True):
        if earned:
            yield _test(each.title, status="pass", score=next(scores))
        elif each.telling is None or each.telling.outcome is Outcome.PASSED:
            yield _test(each.title, status="fail", message=each.reason)
        else:
            yield _failed(each.title, each.telling)


def _failed(title: str, check: CheckPart) -> _Test:
    place = grouping.source_place(check)
    return _test(
        title,
        status="fail",
        message=(f"{check.message} (hint: {check.hint})" if check.hint else check.message)
        or str(check.outcome),
        test_code=check.call,
        filename=place[0] if place else "",
        line_no=place[1] if place else 0,
        duration=check.seconds,
        output="\n".join(evidence.evidence_lines(check.evidence)),
    )


def _parts(line: CriterionLine) -> Iterator[_Test]:
    part = Fraction(line.score / line.max_score).limit_denominator(MOST_TESTS)
    if part == 1 and not line.passed:
        part = Fraction(MOST_TESTS - 1, MOST_TESTS)  # nobody gets all points by rounding
    count, whole = part.numerator, part.denominator
    earned = line.max_score * count / whole
    title = f"{line.title}: {points(line.score)} of {points(line.max_score)} points"
    for number, score in enumerate([*_shares(earned, count), *[0.0] * (whole - count)], start=1):
        message = line.text if number == count + 1 else ""
        status = "pass" if number <= count else "fail"
        yield _test(
            f"{title}, part {number} of {whole}", status=status, score=score, message=message
        )


def _shares(total: float, count: int) -> list[float]:
    """Return *count* scores that are equal, and that give *total* to the bit when added up in turn.

    All but the last are multiples of a power of two, which sums hold exactly. Without that 20 of 20
    points may be shown as 19.999999999999996. The last one takes the rest, which floats may not
    divide equally.
    """
    if not count:
        return []
    share = math.floor(total / count / _UNIT) * _UNIT
    return [share] * (count - 1) + [total - share * (count - 1)]


def _test(name: str, *, status: str, score: float = 0.0, **more: object) -> _Test:
    empty = {
        "message": "",
        "test_code": "",
        "filename": "",
        "line_no": 0,
        "duration": 0.0,
        "output": "",
    }
    return {"name": name, "status": status, "score": score, **empty, **more}


def _fitting(payload: Payload) -> Payload:
    """Return the payload in a form that GitHub accepts.

    Each text is on one line, holds no commands, and is cut where the payload would be too long.
    """
    for longest in (LONGEST, 100, 0):
        tests = [_short(test, longest) for test in payload["tests"]]
        made = {**payload, "tests": tests}
        if len(encoded(made)) <= MOST_BYTES:
            break
    return made


def _short(test: _Test, longest: int) -> _Test:
    limits = {"name": _LONGEST_NAME, "filename": _LONGEST_NAME, "status": _LONGEST_NAME}
    # The reporter prints them, and GitHub obeys what stands in its output.
    return {
        key: (
            no_commands(one_line(value))[: limits.get(key, longest)]
            if isinstance(value, str)
            else value
        )
        for key, value in test.items()
    }


def encoded(payload: Payload) -> bytes:
    """Return the JSON of a payload, short."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "backslashreplace"
    )
