"""Waiting by polling, with a limit, for events that nothing reports."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

_Answer = TypeVar("_Answer")


def wait_until(ask: Callable[[], _Answer], seconds: float, period: float) -> _Answer:
    """Call *ask* every *period* seconds until its answer is true; return the last answer.

    It gives up after *seconds*.
    """
    end = time.monotonic() + seconds
    while not (answer := ask()) and time.monotonic() < end:
        time.sleep(period)
    return answer
