"""The parser of `mpgrade`, for the page that lists its commands."""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Mapping

from pytest_mpgrade.cli.arguments import Command, parser


def _unused(_: argparse.Namespace) -> int:
    raise AssertionError("a page of documentation runs no command")


def command_parser() -> argparse.ArgumentParser:
    """Return the parser that `mpgrade` has, whose commands are never run here."""
    commands: Mapping[str, Command] = defaultdict(lambda: _unused)
    return parser(commands)
