"""The signature of a function that an assignment asks for, read by syntax only."""

from __future__ import annotations

import ast


def signature(text: str) -> tuple[str, tuple[str, ...]]:
    """Read a function's name and parameters (``"second=2"``) by syntax only.

    Raises ValueError where *text* is no such signature.
    """
    bad = (
        f"expected a function's signature such as 'name(first, second=2)', without *, got {text!r}"
    )
    plain = text.strip().removeprefix("async ").strip()
    try:
        (function,) = ast.parse(f"def {plain}: pass").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(bad) from error
    if (
        not isinstance(function, ast.FunctionDef)
        or not plain.endswith(")")
        or len(plain.splitlines()) > 1
    ):
        raise ValueError(bad)
    arguments = function.args
    names = tuple(
        each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    )
    if arguments.vararg or arguments.kwarg or len(set(names)) < len(names):
        raise ValueError(bad)
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = dict(
        zip([each.arg for each in positional][::-1], arguments.defaults[::-1], strict=False)
    )
    defaults |= {
        a.arg: value
        for a, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if value
    }
    return function.name, tuple(
        f"{n}={ast.unparse(defaults[n])}" if n in defaults else n for n in names
    )
