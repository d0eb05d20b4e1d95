"""What Gradescope says of a submission: when it was due and came, and what came before it.

Somebody else's file: what is missing in it, or of another kind, is left out.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pytest_mpgrade.system.timestamps import instant

_DAY = 86400
"""Seconds."""


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """What the file says of a submission."""

    late_days: int  # begun ones
    attempt: int  # 1: the first
    lines: tuple[str, ...]  # for people


def read_metadata(path: Path) -> Metadata | None:
    """Return what the file says; None where there is none that can be read."""
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(document, dict):
        return None
    before = [each for each in _list(document, "previous_submissions") if isinstance(each, dict)]
    late = _late(document)
    return Metadata(
        late_days=max(0, math.ceil(late / _DAY)),
        attempt=len(before) + 1,
        lines=(*_lateness(late), *_earlier(before)),
    )


def _late(told: dict[str, object]) -> float:
    """Return by how many seconds it is late; an extension of one of its students holds for all."""
    handed_in = _time(told.get("created_at"))
    users = [user for user in _list(told, "users") if isinstance(user, dict)]
    places = [
        place for owner in (told, *users) if isinstance(place := owner.get("assignment"), dict)
    ]
    dues = [due for place in places if (due := _time(place.get("due_date")))]
    return (handed_in - max(dues)).total_seconds() if handed_in and dues else 0.0


def _lateness(seconds: float) -> Iterator[str]:
    if seconds > 0:
        minutes = math.ceil(seconds / 60)
        days, hours = minutes // 1440, minutes % 1440 // 60
        yield f"late by {days} d {hours} h {minutes % 60} min; this is told here, and not deducted"


def _earlier(before: list[dict[str, object]]) -> Iterator[str]:
    if before:
        scores = [_score(each) for each in before]
        yield f"submission {len(before) + 1}; the earlier ones had: {', '.join(scores)}"


def _score(submission: dict[str, object]) -> str:
    score = submission.get("score")
    try:
        return f"{float(score):g}"  # type: ignore[arg-type]  # - a text in Gradescope's own example
    except (TypeError, ValueError):
        return "no score"


def _list(told: dict[str, object], key: str) -> list[object]:
    found = told.get(key)
    return found if isinstance(found, list) else []


def _time(text: object) -> datetime | None:
    try:
        return instant(text) if isinstance(text, str) else None
    except ValueError:
        return None
