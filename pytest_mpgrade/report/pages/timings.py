"""What was timed, as pages explain it: each ratio with its pairs, and how times scale. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeGuard

from markupsafe import Markup

from pytest_mpgrade.records import Outcome
from pytest_mpgrade.report import grouping
from pytest_mpgrade.report.pages import charts
from pytest_mpgrade.report.parts import CheckPart, ResultFile

_PAIRED, _SCALED = "seconds, own and reference", "serial fraction"
"""Keys that only the evidence of a timing has, of pairs and of a series."""
_NAMES = {
    "waiting": "tasks that only wait",
    "computing": "tasks of which half compute (CPU time)",
    "polling": "CPU time burned while tasks wait",
}


@dataclass(frozen=True, kw_only=True)
class TimedRatio:
    """A row of a timing's table: own and reference time, and what is surely lost."""

    what: str
    own: str
    reference: str
    ratio: str
    at_least: str
    pairs: str
    chart: Markup | None


@dataclass(frozen=True, kw_only=True)
class Timed:
    """One timing with its verdict."""

    call: str
    outcome: Outcome
    message: str
    ratios: tuple[TimedRatio, ...]
    spent: tuple[tuple[str, str, str], ...]  # on what; own and reference seconds
    limits: tuple[float, float] | None  # up to this times the reference's is free, from there lost
    scaling: Markup | None
    fraction: str
    against_one: str
    machine: str


def is_timing(check: CheckPart) -> bool:
    """Tell whether the evidence of a check is that of a timing."""
    return _PAIRED in check.evidence or _SCALED in check.evidence


def timings_of(result: ResultFile) -> list[Timed]:
    """Return what was timed, in the order of the checks."""
    return [_timed(check) for check in result.checks if is_timing(check)]


def _timed(check: CheckPart) -> Timed:
    found = check.evidence
    limits = _part(found, "limits")
    bounds = next(iter(_pairs([[limits.get("free"), limits.get("lost")]])), None)
    scaling, fraction = _scaling(found)
    return Timed(
        call=check.call or grouping.subject(check, (), 0),
        outcome=check.outcome,
        message=check.message,
        ratios=tuple(_ratios(found, bounds)),
        spent=tuple(_spent(_part(found, _PAIRED))),
        limits=bounds,
        scaling=scaling,
        fraction=fraction,
        against_one=_against_one(_part(found, "faster than one process")),
        machine=_machine(found),
    )


def _ratios(
    found: Mapping[str, object], bounds: tuple[float, float] | None
) -> Iterator[TimedRatio]:
    each = _part(found, "each pair")
    for name, what in _NAMES.items():
        row = _part(found, name)
        if row:
            pairs = _pairs(each.get(name))
            yield TimedRatio(
                what=what,
                own=_shown(row.get("ms per task")),
                reference=_shown(row.get("reference")),
                ratio=_shown(row.get("ratio")),
                at_least=_shown(row.get("at least") or None) or "not known",
                pairs=str(row.get("pairs", "")),
                chart=charts.pairs_plot(pairs, *bounds) if pairs and bounds else None,
            )


def _pairs(value: object) -> list[tuple[float, float]]:
    rows = value if isinstance(value, (list, tuple)) else ()
    return [
        (float(row[0]), float(row[1]))
        for row in rows
        if isinstance(row, (list, tuple)) and len(row) == 2 and _numbers(*row)
    ]


def _spent(parts: Mapping[str, object]) -> Iterator[tuple[str, str, str]]:
    for what, both in parts.items():
        if isinstance(both, (list, tuple)) and len(both) == 2:
            yield what, _shown(both[0]), _shown(both[1])


def _scaling(found: Mapping[str, object]) -> tuple[Markup | None, str]:
    """Return the plot of a series, and its serial fraction in words."""
    fraction, times = found.get(_SCALED), _part(found, "seconds")
    seconds = {int(n): float(t) for n, t in times.items() if n.isdigit() and _is_number(t)}
    if not isinstance(fraction, (int, float)) or not seconds or 0 in seconds:
        return None, ""
    return charts.scaling_plot(seconds, fraction), f"{fraction:.2f}"


def _against_one(part: Mapping[str, object]) -> str:
    if not _numbers(part.get("yours"), part.get("reference")):
        return ""
    return (
        f"yours was {_shown(part['yours'])} times as fast as one process, the reference"
        f" {_shown(part['reference'])} times, on {_shown(part.get('cores'))} cores; this is for"
        " learning and costs no points"
    )


def _machine(found: Mapping[str, object]) -> str:
    part = _part(found, "machine")
    cores = part.get("cores", found.get("cores"))
    words = [f"{_shown(cores)} cores" if _numbers(cores) else ""]
    words += [f"load {_shown(part['load'])}" if _numbers(part.get("load")) else ""]
    return ", ".join(filter(None, words))


def _part(found: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = found.get(key)
    return value if isinstance(value, Mapping) else {}


def _numbers(*values: object) -> bool:
    return all(isinstance(each, (int, float)) and not isinstance(each, bool) for each in values)


def _is_number(value: object) -> TypeGuard[float]:
    return _numbers(value)


def _shown(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, (int, float)) else ""
