"""A parser of arguments that tells wrong usage in one line."""

from __future__ import annotations

import argparse
from typing import NoReturn

from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.system.did_you_mean import nearest_or_all


class Parser(argparse.ArgumentParser):
    """Reports wrong usage on one line, like all other errors."""

    def _check_value(self, action: argparse.Action, value: object) -> None:
        """Answer a misspelt command or choice with the one that may be meant."""
        if action.choices is not None and value not in action.choices:
            known = sorted(map(str, action.choices))
            raise argparse.ArgumentError(
                action, f"there is no {value!r}; {nearest_or_all(str(value), known)}"
            )

    def error(self, message: str) -> NoReturn:
        """Raise UsageError instead of printing the usage and exiting."""
        raise UsageError(f"{message} (see {self.prog} --help)")
