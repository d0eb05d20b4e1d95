"""Timelines written down by hand, as real gradings had them, for tests of what is drawn of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pytest_mpgrade.records import (
    Ending,
    Lane,
    LaneArrow,
    LaneMark,
    LaneSpan,
    LaneThread,
    Moment,
    Outcome,
    Timeline,
)
from pytest_mpgrade.report.result_json import ResultFile, as_result
from support import results

JOINS = LaneSpan(kind="waiting", start=0.2, end=0.6, text="waits for worker 1 to end")
GETS = LaneSpan(kind="waiting", start=0.2, end=0.6, text="waits for a task")
COLLECTS = LaneThread(
    name="another thread",
    says="waits for something to arrive in a queue",
    since=0.2,
    file="f.py",
    line=14,
    code="done.get()",
)
HANGS = Timeline(
    call="f(8 tasks)",
    start_method="fork",
    ending=Ending.HUNG,
    end=0.6,
    moments=(
        Moment(kind="called", at=0.0, text="the call begins"),
        Moment(kind="given up", at=0.6, text="given up: nothing could happen any more"),
    ),
    lanes=(
        Lane(
            pid=70,
            name="the parent",
            says="waits for worker 1 to end",
            file="f.py",
            line=9,
            code="p.join()",
            threads=(COLLECTS,),
            spans=(LaneSpan(kind="own", start=0.0, end=0.2), JOINS),
        ),
        Lane(
            pid=71,
            name="worker 1",
            born="fork",
            start=0.01,
            says="waits for a task or 'STOP' that never comes",
            spans=(LaneSpan(kind="own", start=0.01, end=0.2), GETS),
            marks=(LaneMark(kind="task", at=0.05, text="task 0"),),
        ),
    ),
    arrows=(
        LaneArrow(kind="started", source=70, at=0.01, target=71, until=0.01),
        LaneArrow(kind="awaits", source=70, at=0.6, target=71, until=0.6),
    ),
    sentences=("the parent (pid 70) waits for worker 1 (pid 71) to end, at f.py:9: p.join()",),
)
"""A parent that joins a worker to which it has sent no sentinel."""

LEAVES = Timeline(
    call="f(8 tasks)",
    start_method="spawn",
    ending=Ending.RETURNED,
    end=1.4,
    moments=(
        Moment(kind="called", at=0.0, text="the call begins"),
        Moment(
            kind="returned", at=0.5, text="the call returns: 1 worker never joined, 1 still alive"
        ),
        Moment(kind="looked", at=1.4, text="the grader's last look"),
    ),
    lanes=(
        Lane(pid=80, name="the parent", spans=(LaneSpan(kind="own", start=0.0, end=0.5),)),
        Lane(
            pid=81,
            name="worker 1",
            born="spawn",
            start=0.02,
            end=0.4,
            exitcode=0,
            left="zombie",
            spans=(
                LaneSpan(kind="starting", start=0.02, end=0.3),
                LaneSpan(kind="gate", start=0.3, end=0.38, text="task 0"),
                LaneSpan(kind="own", start=0.38, end=0.4),
                LaneSpan(kind="zombie", start=0.4, end=1.4, text="ended, never joined"),
            ),
            marks=(
                LaneMark(kind="task", at=0.3, text="task 0"),
                LaneMark(kind="exited", at=0.4, text="exit code 0"),
            ),
        ),
        Lane(
            pid=82,
            name="worker 2",
            born="spawn",
            start=0.03,
            left="alive",
            spans=(
                LaneSpan(kind="starting", start=0.03, end=0.5),
                LaneSpan(kind="alive", start=0.5, end=1.4, text="alive after the return"),
            ),
        ),
    ),
)
"""A call that returns, and leaves a zombie and a worker."""

HOSTILE = "</text></svg><script>alert(1)</script>\x1b[2J\u202e\ufffe'\"&"
"""What a student may write where a text is shown."""


def hostile() -> Timeline:
    """Return a timeline of which every text is hostile."""
    lanes = tuple(
        replace(
            lane,
            name=HOSTILE,
            says=HOSTILE,
            file=HOSTILE,
            line=1,
            code=HOSTILE,
            threads=tuple(
                replace(each, name=HOSTILE, says=HOSTILE, file=HOSTILE, code=HOSTILE)
                for each in lane.threads
            ),
            spans=tuple(replace(span, text=HOSTILE) for span in lane.spans),
            marks=tuple(replace(mark, text=HOSTILE) for mark in lane.marks),
        )
        for lane in HANGS.lanes
    )
    moments = tuple(replace(moment, text=HOSTILE) for moment in HANGS.moments)
    return replace(
        HANGS,
        call=HOSTILE,
        start_method=HOSTILE,
        lanes=lanes,
        moments=moments,
        sentences=(HOSTILE,),
    )


def result_with(**more: Any) -> ResultFile:
    """Return a result in which a check has failed under fork and spawn, with their timelines."""
    found = [
        placed
        for method, key in (("fork", "a/0"), ("spawn", "b/0"))
        for placed in results.placed(
            f"t.py::test_returns[{method}]",
            results.finding(
                Outcome.FAILED,
                check="comes_back",
                message="f(8 tasks) never came back",
                call=f"f(8 tasks) under {method}",
                run=key,
            ),
            **more,
        )
    ]
    return as_result(results.report(found, timelines={"a/0": HANGS, "b/0": LEAVES}))
