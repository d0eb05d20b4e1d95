"""Put something on a queue, or into a pipe, twice."""

from __future__ import annotations

from collections.abc import Iterator

import libcst

from pytest_mpgrade.cli.mutants.source import MutableSource, Mutation, called

_PUTTING = frozenset(("put", "put_nowait", "send", "send_bytes", "append"))


def put_twice(source: MutableSource) -> Iterator[Mutation]:
    """Repeat each line that only puts or sends something."""
    for expression in source.all_of(libcst.Expr):
        line = source.statement(expression)
        if line is None or called(expression.value) not in _PUTTING:
            continue
        first = expression.with_changes(
            semicolon=libcst.Semicolon(whitespace_after=libcst.SimpleWhitespace(" "))
        )
        twice = line.with_changes(body=[first, expression.deep_clone()])
        yield source.mutation(f"{source.code(expression)} twice", line, twice)
