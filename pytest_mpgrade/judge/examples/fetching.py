"""Examples for the checks of functions that get many addresses. Pure."""

from __future__ import annotations

from typing import Any

from pytest_mpgrade.inside import plain_data
from pytest_mpgrade.judge import checks
from pytest_mpgrade.judge.check import Check
from pytest_mpgrade.judge.examples.runs import changed, made
from pytest_mpgrade.records import GateReport, GateStep, Run

_SERVER = "http://127.0.0.1:40123"
_ROWS = (("/a", 200, "page a"), ("/lost", 404, "nothing here"), ("/b", 200, "page b"))


def fetched(*rows: tuple[str, int | None, str], **seen: Any) -> Run:
    """Return a run of `fetch_all` that came back with these rows."""
    value = [
        (f"{_SERVER}{path}", status, body if status is None else body.encode())
        for path, status, body in rows
    ]
    run = made("fetch_all(3 addresses, max_workers=2)", encoded=plain_data.encode(value))
    return changed(run, **{"web": _SERVER, "gates": _held(2), **seen})


def _held(inside: int, arrived: str | None = "/b") -> GateReport:
    step = GateStep(opened="/lost", opened_pid=4100, expected="", arrived=arrived)
    return GateReport(script="loop", wanted=2, met=inside >= 2, most_inside=inside, steps=(step,))


FETCHING: tuple[tuple[Check, Run, Run], ...] = (
    (
        checks.gives_rows(_ROWS),
        fetched(*_ROWS),
        fetched(_ROWS[0], ("/lost", None, "HTTP Error 404: Not Found"), _ROWS[2]),
    ),
    (checks.rows_in_order(_ROWS), fetched(*_ROWS), fetched(*reversed(_ROWS))),
    (checks.opens_at_most(), fetched(*_ROWS), fetched(*_ROWS, gates=_held(3))),
    (checks.fills_all_places(), fetched(*_ROWS), fetched(*_ROWS, gates=_held(2, None))),
)
