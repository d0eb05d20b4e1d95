"""The parameters of a function, as a child reports them."""

from __future__ import annotations

from types import FunctionType

from pytest_mpgrade.inside import bootstrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_VARIADIC = 0x04 | 0x08
"""CO_VARARGS and CO_VARKEYWORDS, as in `inspect`."""


def parameters(function: Callable[..., object]) -> list[tuple[str, str, bool]]:
    """Return the name, the kind and whether there is a default, for each parameter.

    The list is empty where Python cannot say. The parameters of a plain function are read off its
    code, because importing `inspect` takes longer than importing all other modules of this process.
    """
    # An attribute such as __wrapped__ or __signature__ would change the answer.
    if type(function) is FunctionType and not vars(function):
        code = function.__code__
        if not (code.co_kwonlyargcount or code.co_posonlyargcount or code.co_flags & _VARIADIC):
            names = code.co_varnames[: code.co_argcount]
            first = len(names) - len(function.__defaults__ or ())
            return [
                (name, "POSITIONAL_OR_KEYWORD", number >= first)
                for number, name in enumerate(names)
            ]
    inspect = bootstrap.library("inspect")
    try:
        # functools.wraps names another function than the one that is called, and that one may take
        # other arguments. Only a wrapper that takes anything hands it on to the other.
        found = inspect.signature(function, follow_wrapped=False).parameters.values()
        if any(each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD) for each in found):
            found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    return [(each.name, str(each.kind), each.default is not each.empty) for each in found]
