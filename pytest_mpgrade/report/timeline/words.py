"""The words of a timeline that its drawing, its list of events and the terminal share."""

from __future__ import annotations

from pytest_mpgrade.records import Ending, Lane, LaneThread, SpanKind, Timeline
from pytest_mpgrade.report.timeline.scale import seconds_words
from pytest_mpgrade.system.text import exit_words, one_line

KINDS: dict[SpanKind, str] = {
    "starting": "starts its interpreter, and imports",
    "own": "runs code, tasks among it",
    "gate": "held by the grader, in a task or at its exit",
    "waiting": "sleeps: waits for others",
    "ended": "ended, not joined yet",
    "zombie": "zombie: ended, never joined",
    "alive": "still there after the return",
}
"""What each kind of a span means, for the legend."""
_ENDED = {
    Ending.RETURNED: "came back",
    Ending.RAISED: "raised",
    Ending.HUNG: "never came back",
    Ending.TIMED_OUT: "was not back at the time limit",
    Ending.DIED: "its own process ended",
    Ending.STOPPED: "was ended",
}


def moment_words(at: float, unit: str) -> str:
    """Return a moment in words: "0.15 s", "12 ms", "turn 3"."""
    return seconds_words(at) if unit == "s" else f"turn {at:g}"


def headline(timeline: Timeline) -> str:
    """Return what a timeline is of, and how that ended: "fork: never came back"."""
    ended = _ENDED.get(timeline.ending, str(timeline.ending))
    return f"{one_line(timeline.start_method) or 'the call'}: {ended}"


def title(timelines: list[Timeline]) -> str:
    """Return what these timelines are of, in a line."""
    calls = list(dict.fromkeys(one_line(each.call) for each in timelines))
    methods = list(dict.fromkeys(each.start_method for each in timelines if each.start_method))
    under = f" under {', '.join(map(one_line, methods))}" if methods else ""
    return f"Timeline of {', '.join(calls)}{under}"


def end_words(lane: Lane, timeline: Timeline) -> str:
    """Return how a process ended, or what was left of it; "" for the calling process."""
    if lane.born is None:
        return ""
    if lane.left == "zombie":
        return f"{exit_words(lane.exitcode, unknown='ended')}, never joined: zombie"
    if lane.left == "alive":
        return "still alive after the return"
    if lane.end is None:
        hung = timeline.ending in (Ending.HUNG, Ending.TIMED_OUT)
        return "had not ended" if hung else "not seen to end"
    return exit_words(lane.exitcode, unknown="ended; how is not known")


def own_line_words(one: Lane | LaneThread) -> str:
    """Return the submission's own line at which it waits: "cv_funcs.py:41  p.join()"."""
    if not one.line and not one.code:
        return ""
    return one_line(f"{one.file}:{one.line}  {one.code}")


def thread_words(thread: LaneThread) -> str:
    """Return what a thread waits for: "another thread waits for a process to end"."""
    return one_line(f"{thread.name} {thread.says}")


def task_label(text: str) -> str:
    """Return a task as marks have it: its number alone, where it has one."""
    return one_line(text).removeprefix("task ")
