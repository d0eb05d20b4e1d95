"""Accept an argument and do not pass it on."""

from __future__ import annotations

from collections.abc import Iterator

import libcst

from pytest_mpgrade.cli.mutants.source import MutableSource, Mutation

_AS_IF_OPTIONAL = frozenset(("seed", "rng"))
"""Parameters that most functions can do without, also where a function is always given them."""


def without_arguments(source: MutableSource) -> Iterator[Mutation]:
    """Leave out each argument of a call that is an optional parameter of the function around it."""
    for call in source.all_of(libcst.Call):
        optional = _optional(source.function(call))
        for place, arg in enumerate(call.args):
            passed_on = isinstance(arg.value, libcst.Name) and arg.value.value in optional
            can_go = arg.keyword is not None or place == len(call.args) - 1
            if passed_on and can_go and not arg.star:
                others = [*call.args[:place], *call.args[place + 1 :]]
                if others:
                    others[-1] = others[-1].with_changes(comma=libcst.MaybeSentinel.DEFAULT)
                what = f"{source.code(call)} without {source.code(arg.value)}"
                yield source.mutation(what, call, call.with_changes(args=others))


def _optional(function: libcst.FunctionDef | None) -> frozenset[str]:
    if function is None:
        return frozenset()
    parameters = (*function.params.params, *function.params.kwonly_params)
    return frozenset(
        each.name.value
        for each in parameters
        if each.default is not None or each.name.value in _AS_IF_OPTIONAL
    )
