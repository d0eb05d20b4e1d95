"""A parser of arguments that tells wrong usage in one line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import NoReturn

from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.system.did_you_mean import nearest, nearest_or_all


class Parser(argparse.ArgumentParser):
    """Reports wrong usage on one line, like all other errors."""

    def _check_value(self, action: argparse.Action, value: object) -> None:
        """Answer a misspelt command or choice with the one that may be meant."""
        if action.choices is not None and value not in action.choices:
            known = sorted(map(str, action.choices))
            raise argparse.ArgumentError(
                action, f"there is no {value!r}; {nearest_or_all(str(value), known)}"
            )

    def parse_known_args(  # type: ignore[override]  # - the overloads of the library are for namespaces of one's own
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Answer a misspelt option first: what lacks without it is no news."""
        known = self._option_string_actions
        if self._subparsers is None:  # else most options are those of a command
            for word in _options(sys.argv[1:] if args is None else args):
                if not any(each.startswith(word) for each in known):
                    self.error(f"there is no option {word}{nearest(word, known)}")
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Raise UsageError instead of printing the usage and exiting."""
        raise UsageError(f"{message} (see {self.prog} --help)")


def _options(words: Sequence[str]) -> Iterator[str]:
    """Yield the long options among the words of a command line, without their values."""
    for word in words:
        if word == "--":
            return
        if word.startswith("--"):
            yield word.partition("=")[0]
