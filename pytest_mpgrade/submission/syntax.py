"""Read from a module's syntax which names it binds at import, and which packages it needs.

Nothing is imported or run. Students' files have all kinds of encodings and errors, so each error
message has its line.
"""

from __future__ import annotations

import ast
import codecs
import io
import re
import sys
import threading
import tokenize
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pytest_mpgrade.errors import UngradableError
from pytest_mpgrade.records import CALLED_TARGET, Use
from pytest_mpgrade.submission.gone_through import gone_through_twice, shown_code
from pytest_mpgrade.submission.imports import Import, module_imports
from pytest_mpgrade.submission.newer_syntax import newer_syntax

_PYTHON = ".".join(map(str, sys.version_info[:2]))


@dataclass(frozen=True, kw_only=True)
class ModuleSyntax:
    """What the syntax of a module says about it."""

    own: frozenset[str] = frozenset()  # names defined at top level
    # these, and names imported at top level; "*" for a star import
    names: frozenset[str] = frozenset()
    imports: tuple[Import, ...] = ()
    uses: tuple[Use, ...] = ()
    fault: UngradableError | None = None  # the reason why it cannot be graded

    @property
    def packages(self) -> tuple[str, ...]:
        """The top-level modules that it imports anywhere."""
        return tuple(sorted({each.package for each in self.imports}))


def module_syntax(tree: ast.Module) -> ModuleSyntax:
    """Return what a module defines, imports and uses."""
    bound = list(_bound(tree))
    own = frozenset(name for name, imported in bound if not imported)
    names = frozenset(name for name, _ in bound)
    uses = (*_uses(tree), *gone_through_twice(tree))
    return ModuleSyntax(own=own, names=names, imports=module_imports(tree), uses=uses)


TELLING = frozenset(
    (
        *("cancel_join_thread", "_exit", "input", "breakpoint", "set_trace", "run"),
        *("ThreadPool", "ThreadPoolExecutor", "Thread", "Parallel", "Pool", "Process"),
    )
)
"""Functions whose calls explain faults; `judge/causes` knows which."""


def _uses(tree: ast.Module) -> Iterator[Use]:
    """Yield the calls of functions that explain faults, in the order of the lines."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda node: (node.lineno, node.col_offset)):
        if (name := _last_name(call)) in TELLING:
            yield Use(name=name, line=call.lineno, code=shown_code(call))
        targets = [each.value for each in call.keywords if each.arg == "target"]
        if any(isinstance(each, ast.Call) and _last_name(each) != "partial" for each in targets):
            yield Use(name=CALLED_TARGET, line=call.lineno)


def _last_name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def parse_module(shown: str, data: bytes, *, before_line: str = ":") -> ast.Module:
    """Parse a source as Python would; *shown* is its name.

    Raises UngradableError with the line of the error.
    """
    text = _text(shown, data)
    try:
        with warnings.catch_warnings():
            # Invalid escapes cause warnings; under `-W error` they would be syntax errors.
            warnings.simplefilter("ignore")
            return _tree(data)
    except SyntaxError as error:
        line = error.lineno or 1
        code = "".join(re.split(r"\r\n|\r|\n", text)[line - 1 : line]).strip()[:100]
        newer = newer_syntax(text)
        what = f"{type(error).__name__}: {error.msg}{f'; {newer};' if newer else ',' * bool(code)}"
        raise UngradableError(
            f"{shown}{before_line}{line}: {what}{' in: ' * bool(code)}{printable(code)}",
            hint=f"write it so that Python {_PYTHON} takes it too" if newer else "",
            source={"file": shown, "line": line, "code": printable(code)},
        ) from error
    except (RecursionError, MemoryError) as error:
        raise UngradableError(f"{shown} is nested too deeply for Python to read it") from error


def _tree(data: bytes) -> ast.Module:
    """Parse a source as an import would.

    A long chain (1+1+…) overflows the stack of Python 3.10, which then crashes, so the parser runs
    in a thread with a larger stack.
    """
    if sys.version_info >= (3, 11) or len(data) < 100_000:
        return ast.parse(data)
    # 1 GiB of address space; the parser uses at most 100 bytes of it for each byte of data.
    before = threading.stack_size(1 << 30)
    with ThreadPoolExecutor(1) as pool:
        tree = pool.submit(ast.parse, data)
        threading.stack_size(before)
        return tree.result()


def _text(shown: str, data: bytes) -> str:
    """Decode a source as Python would; an error names the place."""
    at, why = data.find(b"\0"), "a NUL byte, which Python does not read"
    try:
        encoding = tokenize.detect_encoding(io.BytesIO(data).readline)[0]
        # These codecs take minutes for a few megabytes.
        if codecs.lookup(encoding).name in ("punycode", "idna"):
            raise LookupError(f"unknown encoding: {encoding}")
        if at < 0:
            return data.decode(encoding)
    except (SyntaxError, LookupError, UnicodeError) as error:
        at, why = getattr(error, "start", 0), str(error)
    line = data[:at].count(10) + 1
    source = {"file": shown, "line": line}
    raise UngradableError(f"{shown}:{line}: {why}; save the file as UTF-8", source=source)


def _bound(tree: ast.Module) -> Iterator[tuple[str, bool]]:
    """Yield the names that a module binds at its top level, and whether an import binds them.

    The bodies of `if` and `try` count as top level.
    """
    pending: list[ast.stmt] = list(tree.body)
    while pending:
        statement = pending.pop()
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield statement.name, False
        elif isinstance(statement, (ast.Import, ast.ImportFrom)):
            yield from (
                (each.asname or each.name.partition(".")[0], True) for each in statement.names
            )
        elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
            nodes = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
            yield from (
                (node.id, False)
                for node in nodes
                if isinstance(node.ctx, ast.Store) and statement.value
            )
        else:
            pending.extend(_inside(statement))


def _inside(statement: ast.stmt) -> Iterator[ast.stmt]:
    """Yield the statements inside this one that run at import, except those below a main guard."""
    test = getattr(statement, "test", None)
    sides = (
        (test.left, *test.comparators)
        if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Eq)
        else ()
    )
    gate = {getattr(side, "id", getattr(side, "value", None)) for side in sides} == {
        "__name__",
        "__main__",
    }
    for part in (statement, *getattr(statement, "handlers", []), *getattr(statement, "cases", [])):
        for block in ("orelse",) if gate else ("body", "orelse", "finalbody"):
            yield from getattr(part, block, [])


def printable(text: str) -> str:
    """Return a text with all characters escaped that cannot be printed on one line."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
