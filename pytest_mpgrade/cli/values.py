"""Parse the values of options of `mpgrade`.

Each function raises ArgumentTypeError, from which argparse makes its message.
"""

from __future__ import annotations

import argparse
import re
import time
from datetime import datetime, tzinfo


def part_value(text: str) -> tuple[int, int]:
    """Read K/N, the K-th of N parts."""
    number, _, parts = text.partition("/")
    if not (number.isdecimal() and parts.isdecimal() and 1 <= int(number) <= int(parts)):
        raise argparse.ArgumentTypeError("K/N is asked for, as in 1/3")
    return int(number), int(parts)


def format_value(text: str) -> tuple[str, str]:
    """Read NAME or NAME=FILE of an export."""
    from pytest_mpgrade.report.exports import FORMATS

    name, _, file = text.partition("=")
    if name not in FORMATS:
        raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(FORMATS)}")
    return name, file


def time_value(text: str, zone: tzinfo | None = None) -> datetime:
    """Read an ISO time; one without an offset is in *zone*, and wrong if that is None."""
    from pytest_mpgrade.system.timestamps import instant

    try:
        return instant(text, zone)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def count_value(text: str) -> int:
    """Read a whole number of 0 or more."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of times")
    return int(text)


def cores_value(text: str) -> int:
    """Read a whole number of 1 or more."""
    if not (number := count_value(text)):
        raise argparse.ArgumentTypeError("a grading needs at least one core")
    return number


def place_value(text: str) -> int:
    """Read the number of a place in a list, from 1 on."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)


def only_value(text: str) -> tuple[str, str]:
    """Read WHAT=NAME of a choice of submissions."""
    from pytest_mpgrade.system.did_you_mean import nearest_or_all

    what, _, name = text.partition("=")
    known = ("concern", "question", "student")
    if what not in known:
        told = f"there is no choice by {what!r} ({nearest_or_all(what, known)})"
        raise argparse.ArgumentTypeError(told)
    if not name:
        raise argparse.ArgumentTypeError(f"{what}= needs a name")
    return what, name


def seconds_value(text: str) -> float:
    """Read a number of seconds above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return value


def deadline_value(text: str) -> float:
    """Read seconds from now or an ISO time; return seconds since the epoch.

    A time without an offset is local.
    """
    if re.fullmatch(r"[\d.]+", text):
        return time.time() + seconds_value(text)
    try:
        return time_value(text, datetime.now().astimezone().tzinfo).timestamp()
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"{error}, or a number of seconds") from None
