"""Leave out a call that starts, ends, releases or tells something."""

from __future__ import annotations

from collections.abc import Iterator

import libcst

from pytest_mpgrade.cli.mutants.source import MutableSource, Mutation, called

_TELLING = frozenset(
    (
        *("start", "join", "close", "terminate", "kill", "shutdown", "join_thread"),
        *("put", "put_nowait", "send", "send_bytes", "set", "task_done", "notify", "notify_all"),
        *("acquire", "release", "wait", "unlink", "cancel"),
    )
)
"""Methods whose results are seldom used."""


def without_calls(source: MutableSource) -> Iterator[Mutation]:
    """Leave out each line that is only such a call, or a call of a function of the module.

    A comprehension that is only there for such calls counts, too. This leaves out sentinels as
    well, where a line puts them.
    """
    for expression in source.all_of(libcst.Expr):
        line, value = source.statement(expression), expression.value
        if isinstance(value, libcst.Await):
            value = value.expression
        call = value.elt if isinstance(value, libcst.ListComp) else value
        method = isinstance(call, libcst.Call) and isinstance(call.func, libcst.Attribute)
        wanted = called(call) in (_TELLING if method else source.defined())
        if line is not None and wanted:
            what = f"without {source.code(expression)}"
            yield source.mutation(what, line, line.with_changes(body=[libcst.Pass()]))
