"""Catch too much, or hide what was caught."""

from __future__ import annotations

from collections.abc import Iterator

import libcst
from libcst import matchers

from pytest_mpgrade.cli.mutants.source import MutableSource, Mutation

_WIDE = frozenset(("Exception", "BaseException"))


def widened_handlers(source: MutableSource) -> Iterator[Mutation]:
    """Catch every Exception where a handler names some."""
    for handler in source.all_of(libcst.ExceptHandler):
        kind = handler.type
        if kind is None or (isinstance(kind, libcst.Name) and kind.value in _WIDE):
            continue
        wide = handler.with_changes(
            type=libcst.Name("Exception"), whitespace_after_except=libcst.SimpleWhitespace(" ")
        )
        what = f"except Exception for except {source.code(kind)}"
        yield source.mutation(what, handler, wide)


def hidden_exceptions(source: MutableSource) -> Iterator[Mutation]:
    """Pass over an exception that a handler raises again, or turns into another."""
    for handler in source.all_of(libcst.ExceptHandler):
        if not matchers.findall(handler, matchers.Raise()):
            continue
        silent = libcst.IndentedBlock(body=[libcst.SimpleStatementLine(body=[libcst.Pass()])])
        kind = f" {source.code(handler.type)}" if handler.type is not None else ""
        yield source.mutation(f"except{kind}: pass", handler, handler.with_changes(body=silent))
