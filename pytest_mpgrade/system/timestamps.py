"""Times as course systems and people write them."""

from __future__ import annotations

import re
import time
from datetime import datetime, timezone, tzinfo
from zoneinfo import ZoneInfo

_MOODLE = "%A, %d %B %Y, %I:%M %p"
_EXAMPLE = "2026-03-02T23:59:00+01:00"


def utc_stamp(seconds: float | None = None) -> str:
    """Return a time as results have it, ``2026-03-02T22:59:00Z``.

    *seconds* counts since the epoch; without it the time is now.
    """
    moment = datetime.fromtimestamp(time.time() if seconds is None else seconds, timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def instant(text: str, zone: tzinfo | None = None) -> datetime:
    """Read a time: ISO 8601, or as nbgrader or Moodle write it.

    nbgrader adds the name of a zone; Moodle writes in English. A time without an offset is in
    *zone*. Raises ValueError where the text is no time, or has no offset and there is no *zone*.
    """
    plain, _, name = text.strip().rpartition(" ")
    try:
        found = (
            _iso(plain).replace(tzinfo=ZoneInfo(name))
            if re.match(r"[A-Z]", name) and plain
            else _iso(text.strip())
        )
    except (ValueError, OSError, KeyError):  # ZoneInfo: no such zone, or no such file
        try:
            found = datetime.strptime(text.strip(), _MOODLE)
        except ValueError as error:
            raise ValueError(f"expected a time such as {_EXAMPLE}, got {text!r}") from error
    if found.tzinfo is None and zone is None:
        raise ValueError(
            f"expected a time with its offset from UTC, such as {_EXAMPLE}, got {text!r}"
        )
    return found if found.tzinfo else found.replace(tzinfo=zone)


def _iso(text: str) -> datetime:
    # Python 3.10 does not know the Z of UTC.
    return datetime.fromisoformat(re.sub(r"Z$", "+00:00", text))
