"""What pairs of times say: statistics that noise cannot turn. Starts no process."""

from __future__ import annotations

import itertools
import json
import math
import random
from collections.abc import Iterator
from dataclasses import replace

import msgspec
import pytest

from pytest_mpgrade.judge import checks, speedup_statistics
from pytest_mpgrade.judge.checks.scaling import serial_fraction
from pytest_mpgrade.judge.examples.runs import worker_processes
from pytest_mpgrade.judge.examples.timings import pair, scaled, timing_of
from pytest_mpgrade.records import Doing, Look, Machine, Outcome, Pair, Role, SpeedRules, Timing
from support.running import ROOT

RULES = SpeedRules()
KEEPS_UP = checks.keeps_up_with_reference()


def density(x: float, degrees: int) -> float:
    """Return the density of Student's t distribution."""
    half = (degrees + 1) / 2
    scale = math.exp(math.lgamma(half) - math.lgamma(degrees / 2)) / math.sqrt(degrees * math.pi)
    return float(scale * (1 + x * x / degrees) ** -half)


@pytest.mark.parametrize("degrees", range(1, len(speedup_statistics._T) + 1))
def test_table_of_quantiles(degrees: int) -> None:
    """Below each quantile of the table lies 0.999 of the distribution, by Simpson's rule from 0
    up.
    """
    steps, end = 200_000, speedup_statistics._T[degrees - 1]
    width = end / steps
    inner = sum((4 if i % 2 else 2) * density(i * width, degrees) for i in range(1, steps))
    below = 0.5 + width / 3 * (density(0, degrees) + inner + density(end, degrees))
    assert below == pytest.approx(0.999, abs=2e-6)


# --- one ratio


def test_ratio_of_steady_times() -> None:
    """Without noise the bound comes up to the estimate."""
    found = speedup_statistics.ratio(
        [(0.03, 0.02), (0.0301, 0.0201), (0.0299, 0.0199), (0.03, 0.02)]
    )
    assert found.estimate == pytest.approx(1.5, abs=0.01)
    assert 1.45 < found.bound <= found.estimate
    assert (found.own, found.theirs, found.pairs) == (0.03, 0.02, 4)


@pytest.mark.parametrize(
    "times",
    [
        [],
        [(0.03, 0.02)],
        [(0.03, 0.02), (0.02, 0.03), (0.03, 0.02)],
        [(-0.01, -0.02)] * 5,
        [(0.02, 0.02)] * 2,
    ],
    ids=["none", "one", "contrary", "negative", "two"],
)
def test_ratio_that_is_not_known(times: list[tuple[float, float]]) -> None:
    """Too few pairs, or contrary ones, bound nothing worth a point."""
    assert speedup_statistics.ratio(times).bound <= RULES.free


def test_one_wild_pair_does_not_decide() -> None:
    """A pair that was hit by something else, however badly, takes no points, and hides no steady
    slowness for good.
    """
    calm = [
        (0.0204, 0.0203),
        (0.0205, 0.0204),
        (0.0203, 0.0206),
        (0.0206, 0.0203),
        (0.0204, 0.0204),
    ]
    assert speedup_statistics.ratio([*calm, (2.0, 0.02)]).bound < RULES.free
    slow = [(own * 3, theirs) for own, theirs in calm * 2]
    assert speedup_statistics.ratio([*slow, (0.02, 0.03)]).bound > RULES.free


def noisy(draw: random.Random, true: float, spread: float) -> Iterator[Pair]:
    """Yield pairs whose logarithm of the ratio has this standard deviation, times a burst of load
    now and then.
    """
    while True:
        waiting = true * math.exp(draw.gauss(0, spread))
        if draw.random() < 0.1:
            waiting *= draw.choice((0.4, 2.5))
        yield pair(waiting, true * math.exp(draw.gauss(0, spread / 4)))


def taken(draw: random.Random, true: float, spread: float) -> list[Pair]:
    """Take pairs as a timing does, at most as many as it would."""
    source = noisy(draw, true, spread)
    pairs = list(itertools.islice(source, 1))
    while len(pairs) < RULES.pairs and not speedup_statistics.decided(pairs, RULES):
        pairs.append(next(source))
    return pairs


@pytest.mark.parametrize("spread", [0.02, 0.06, 0.15])
@pytest.mark.parametrize("true", [0.9, 1.0, 1.05])
def test_right_pattern_keeps_its_points(true: float, spread: float) -> None:
    """Of 500 verdicts on a pattern that is as fast as the reference, with noise as measured, none
    takes a point.
    """
    draw = random.Random(f"{true} {spread}")
    found = [taken(draw, true, spread) for _ in range(500)]
    assert not any(speedup_statistics.judge_pairs(pairs, RULES).slow for pairs in found)


@pytest.mark.parametrize("true", [1.6, 2.0, 4.0])
def test_slow_pattern_loses_points(true: float) -> None:
    """On a quiet machine hardly any verdict on a slow pattern leaves it all points."""
    draw = random.Random(f"{true}")
    found = [speedup_statistics.judge_pairs(taken(draw, true, 0.02), RULES) for _ in range(200)]
    assert sum(one.credit == 1 for one in found) <= 2
    assert {one.credit for one in found if one.slow} == {0.0}


# --- the verdict


def test_credit_falls_in_tenths() -> None:
    """Between what is free and what costs everything, credit falls evenly, and two measurements
    agree on it.
    """
    ratios = (1.1, 1.17, 1.325, 1.45, 1.6)
    pairs = ([pair(ratio + noise) for noise in (0.001, -0.001, 0.0)] * 3 for ratio in ratios)
    found = [speedup_statistics.judge_pairs(each, RULES).credit for each in pairs]
    assert found == [1.0, 0.9, 0.5, 0.2, 0.0]


def test_late_workers_cost_from_a_second_on() -> None:
    """Start-up is reported, and free until it is a second more than the reference's."""
    assert speedup_statistics.judge_pairs([pair(late=0.8)] * 5, RULES).slow == ()
    found = speedup_statistics.judge_pairs(
        [pair(late=1.5 + noise) for noise in (0.01, -0.01, 0.0, 0.01, 0.0)], RULES
    )
    assert (found.slow, found.credit) == (("starting",), 0.5)


def test_message_says_how_sure_it_is() -> None:
    """Times, ratio, bound, pairs and what is free, with the line where the time went."""
    run = timing_of(*(pair(1.9 + noise) for noise in (0.01, -0.02, 0.0, 0.02, 0.0)))
    look = Look(
        role=Role.PARENT,
        doing=Doing.SLEEP,
        file="cv_funcs.py",
        line=41,
        code="time.sleep(0.1)",
        times=31,
        of=40,
    )
    found = KEEPS_UP(_seen(run, look))
    assert found.outcome is Outcome.FAILED
    assert found.message.startswith(
        "yours took 1.90x the reference's time on tasks that only wait (at least 1."
    )
    assert "with 99.9 % confidence, 5 pairs); 1.15x is free." in found.message
    assert (
        "it spent 0.01 s until all workers were there (the reference 0.01 s), 0.31 s on the tasks"
        in found.message
    )
    assert (
        "Outside of tasks your parent slept at cv_funcs.py:41: time.sleep(0.1) in 31 of 40 looks"
        in found.message
    )
    assert found.evidence["machine"] == {
        "cores": 2,
        "load": 0.4,
        "alone": True,
        "threads of BLAS and OpenMP": 1,
        "seconds": 5.6,
    }


def _seen(run: Timing, *looks: Look) -> Timing:
    return replace(run, trace=replace(run.trace, looks=looks))


def test_waiting_for_a_result_is_no_reproach() -> None:
    """A parent that was seen to wait for results does what it should."""
    run = timing_of(*(pair(1.9 + noise) for noise in (0.01, -0.02, 0.0, 0.02, 0.0)))
    look = Look(
        role=Role.PARENT,
        doing=Doing.WAIT,
        file="cv_funcs.py",
        line=41,
        code="wait(busy)",
        times=40,
        of=40,
    )
    assert "cv_funcs.py:41" not in KEEPS_UP(_seen(run, look)).message


def test_what_is_not_sure_is_not_deducted() -> None:
    """A pattern that seems slow, and is not sure to be, is inconclusive, with what was seen."""
    found = KEEPS_UP(timing_of(pair(2.0), pair(0.9), pair(1.9), pair(1.2)))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert (
        "yours seemed to take 1.55x the reference's time on tasks that only wait (4 pairs, 2 cores,"
        " load 0.4)" in (found.message)
    )


UNSTEADY = ((15.8, 36.7), (20.1, 32.0), (26.8, 34.4), (19.9, 27.8), (29.9, 26.0))
"""CPU milliseconds for a task that computes and one that waits, of the same calls, on cores that
were not steady.
"""


def _polling(own: float) -> list[Pair]:
    """Return such pairs, in which the submission burned *own* milliseconds more while tasks only
    waited.
    """
    return [
        replace(
            pair(), computing=((later + own) / 1000, earlier / 1000), polling=(own / 1000, 0.0004)
        )
        for earlier, later in UNSTEADY
    ]


def test_polling_is_seen_beside_unsteady_computing() -> None:
    """What a parent burns while its tasks only wait is sure where what all tasks cost is not, and
    is told alone.
    """
    run = timing_of(*_polling(20.0))
    assert speedup_statistics.judge_pairs(
        [replace(each, polling=None) for each in run.pairs], RULES
    ).unsure == ("computing",)
    found = KEEPS_UP(run)
    assert (found.outcome, found.credit) == (Outcome.FAILED, 0.0)
    assert (
        "x the reference's CPU time on tasks, of which half compute and half only wait, counting"
        " only what it" in (found.message)
    )
    assert "seemed" not in found.message
    assert "reckoned" in found.evidence["polling"]
    assert "reckoned" not in found.evidence["computing"]
    assert found.hint.startswith("wait in get() or connection.wait()")


def test_few_pairs_of_one_comparison_do_not_end_the_others() -> None:
    """Tasks that compute, left out once waiting ones seemed to decide, end nothing by pairs too few
    to take points.
    """
    noisy = [pair(each, 3.0 + each / 999) for each in (2.1, 3.6, 1.2, 2.9, 1.1)]
    some = [*noisy[:3], *(replace(each, computing=None) for each in noisy[3:])]
    found = speedup_statistics.judge_pairs(some, RULES)
    assert found.ratios["computing"].bound > RULES.free
    assert (found.slow, found.ratios["computing"].pairs) == ((), 3)
    assert not speedup_statistics.decided(some, RULES)
    assert speedup_statistics.decided(noisy, RULES)


def test_quiet_parent_beside_unsteady_computing() -> None:
    """The same cores take no point from a pattern that waits as the reference does, or nearly."""
    assert speedup_statistics.judge_pairs(_polling(0.4), RULES).slow == ()
    assert speedup_statistics.judge_pairs(_polling(2.0), RULES).slow == ()


def test_polling_is_told_once() -> None:
    """Where all tasks together are surely slow, what was burned while they wait is a part of
    that.
    """
    steady = [
        replace(each, computing=(0.0455 + i / 9999, 0.0163))
        for i, each in enumerate(_polling(20.0))
    ]
    found = speedup_statistics.judge_pairs(steady, RULES)
    assert (found.slow, found.credit) == (("computing",), 0.0)
    assert found.ratios["polling"].bound > RULES.free


def test_cpu_time_that_cannot_be_seen() -> None:
    """Without ptrace the CPU time of ended processes is not known: judged is what is."""
    found = KEEPS_UP(timing_of(*(pair(computing=None) for _ in range(4))))
    assert (found.outcome, "computing" in found.evidence) == (Outcome.PASSED, False)


def test_absent_reference() -> None:
    """Where the reference is not installed, the check is skipped, and says so."""
    found = KEEPS_UP(timing_of(reference=False))
    assert (found.outcome, found.undecided_by) == (Outcome.SKIPPED, "")
    assert "is not installed here" in found.message


@pytest.mark.parametrize(
    ("gates", "by"),
    [({"met": False, "most_inside": 1}, "met"), ({"wanted": 1}, "workers")],
)
def test_other_faults_are_not_blamed_on_speed(gates: dict[str, bool | int], by: str) -> None:
    """Who does not run n tasks in n processes at a time is not measured against who does."""
    run = timing_of()
    assert run.trace.gates is not None
    changed = replace(run.trace.gates, **gates)  # type: ignore[arg-type]  # - fields by their names
    trace = replace(run.trace, gates=changed, processes=worker_processes(2))
    found = KEEPS_UP(replace(run, trace=trace))
    assert (found.outcome, found.undecided_by) == (Outcome.SKIPPED, by)


# --- wall-clock time against one process


def test_wall_clock_needs_cores() -> None:
    """On one core nothing can be faster than one process: not judged, and the evidence says why."""
    here = Machine(cores=1, load=0.3)
    found = checks.faster_than_serial()(
        timing_of(*(pair(wall=1.9 + i / 100) for i in range(4)), machine=here)
    )
    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.evidence == {"not measured": "1 usable core"}


def test_wall_clock_is_not_judged_where_the_reference_is_slow() -> None:
    """On a machine that is busy with something else the reference shows nothing either."""
    slow = [
        Pair(
            waiting=(1, 1), computing=(1, 1), starting=(0, 0), wall=(0.2 + i / 99, 0.19), serial=0.2
        )
        for i in range(5)
    ]
    assert checks.faster_than_serial()(timing_of(*slow)).outcome is Outcome.INCONCLUSIVE


def test_wall_clock_is_not_judged_by_what_was_taken_for_learning() -> None:
    """One process that was timed in the first pairs shows what is usual, and is no reason to take
    points.
    """
    taken = [pair(wall=1.9 + i / 100) for i in range(5)]
    assert checks.faster_than_serial()(timing_of(*taken)).outcome is Outcome.FAILED
    found = checks.faster_than_serial()(
        timing_of(*taken[:2], *(replace(each, serial=0.0) for each in taken[2:]))
    )
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "by 2 pairs; time it with against_serial=True" in found.message


# --- scaling


def test_serial_fraction_of_exact_series() -> None:
    """Times made by Amdahl's law give back its serial fraction."""
    for fraction in (0.0, 0.1, 0.5, 1.0):
        times = {n: 2.0 * (fraction + (1 - fraction) / n) for n in (1, 2, 4, 7)}
        assert serial_fraction(times) == pytest.approx(fraction)


def test_scaling_is_reported_and_judged_only_when_asked() -> None:
    """The same series passes without a limit, and fails with one."""
    series = scaled(n1=(0.32, 0.33, 0.32), n2=(0.3, 0.31, 0.3), n4=(0.29, 0.3, 0.29))
    found = checks.scales()(series)
    assert found.outcome is Outcome.PASSED
    assert found.evidence["serial fraction"] > 0.8
    assert checks.scales(0.2)(series).outcome is Outcome.FAILED


# --- pairs of real runs

RECORDS = ROOT / "benchmarks" / "records" / "speed.jsonl"
SLOW = ("naps_between_tasks", "polls_busily", "pickles_context", "half_again", "one_result_a_look")


def recorded(*, slow: bool) -> list[tuple[str, speedup_statistics.SpeedVerdict]]:
    """Judge the pairs of every second recorded verdict over slow variants, or over right ones; each
    with what it is of. `benchmarks/timing_error_rates.py` judges all.
    """
    rows = [json.loads(line) for line in RECORDS.read_text(encoding="utf-8").splitlines()]
    return [
        (
            f"{row['variant']} under {row['method']}, load {row['load']} {row['label']}",
            speedup_statistics.judge_pairs(msgspec.convert(row["pairs"], list[Pair]), RULES),
        )
        for row in rows[::2]
        if row["pairs"] and (row["variant"] in SLOW) is slow
    ]


def test_no_recorded_right_variant_loses_points() -> None:
    """Whatever the load."""
    found = recorded(slow=False)
    assert len(found) >= 300
    assert not [name for name, verdict in found if verdict.slow]


def test_no_recorded_slow_variant_keeps_all_points() -> None:
    """Most of them lose some; the others are left undecided."""
    found = recorded(slow=True)
    assert len(found) >= 200
    assert not [name for name, verdict in found if not verdict.slow and not verdict.unsure]
    assert sum(bool(verdict.slow) for _, verdict in found) > 0.9 * len(found)
