"""Join, or close, before the results are taken."""

from __future__ import annotations

from collections.abc import Iterator

import libcst
from libcst import matchers

from pytest_mpgrade.cli.mutants.source import MutableSource, Mutation, called

_TAKING = frozenset(("get", "recv", "recv_bytes", "result", "next", "map", "starmap"))
_ENDING = frozenset(("join", "close", "shutdown"))


def joined_too_early(source: MutableSource) -> Iterator[Mutation]:
    """Move a statement that joins or closes before the one above it that takes results."""
    for block in source.all_of(libcst.IndentedBlock):
        for place, statement in enumerate(block.body):
            taking = next((at for at in range(place) if _calls(block.body[at], _TAKING)), None)
            if taking is None or not _calls(statement, _ENDING) or _calls(statement, _TAKING):
                continue
            others = [*block.body[:place], *block.body[place + 1 :]]
            others.insert(taking, statement.deep_clone())
            what = f"{source.code(statement)} before {source.code(block.body[taking])}"
            yield source.mutation(what, block, block.with_changes(body=others))


def _calls(
    statement: libcst.BaseStatement | libcst.BaseSmallStatement, names: frozenset[str]
) -> bool:
    return any(called(call) in names for call in matchers.findall(statement, matchers.Call()))
