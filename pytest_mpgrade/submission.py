"""Find the module to grade in what somebody handed in: by its name, else by its syntax.

Called by the command line and the plugin. Students rename files and hand in more than was asked for, and all of it has
to be read without harm: nothing is imported or run here, and no link that leads out of a submission is followed.
"""

from __future__ import annotations

import ast
import codecs
import hashlib
import io
import keyword
import os
import re
import shutil
import sys
import threading
import tokenize
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_mpgrade.errors import UngradableError, UsageError
from pytest_mpgrade.records import Assignment, Submission

__all__ = ["discover", "importable", "stage"]

MOST_SOURCE, HUGE, MOST_STAGED = 5_000_000, 50_000_000, 200_000_000  # bytes
MOST_FILES, DEEPEST, LISTED = 20_000, 100, 8
_NO_PART = re.compile(r"\..*|__pycache__|__MACOSX", re.DOTALL)
# They would configure Python or pytest wherever they are put.
_NOT_STAGED = re.compile(r"(conftest|(site|user)customize)\.py|(pytest|tox)\.ini|setup\.cfg|pyproject\.toml|.*\.pth")


@dataclass(frozen=True, kw_only=True)
class _File:
    path: Path
    name: str  # below the submission's folder, with slashes
    shown: str  # the same for a line of output
    size: int
    fault: str = ""  # why it is not looked into


@dataclass(frozen=True, kw_only=True)
class _Source:
    """What a module's syntax tells."""

    own: frozenset[str] = frozenset()  # names that it defines at top level
    names: frozenset[str] = frozenset()  # these, and those that it imports there; "*" for a star import
    packages: tuple[str, ...] = ()  # that it imports anywhere
    fault: str = ""  # why it cannot be graded


def discover(path: Path, assignment: Assignment, id: str | None = None) -> Submission:
    """Find the module to grade at *path*, a folder or a file.

    Raises UsageError where there is nothing at *path*, and UngradableError, with what was found, where no module or no
    single one can be graded. The module may have a name that cannot be imported: see `importable` and `stage`.
    """
    if not os.path.exists(path):
        raise UsageError(f"there is no submission at {_printable(str(path))}")
    place = Path(os.path.abspath(path))
    whole = place.is_dir()
    files = _files(place.resolve()) if whole else (_look(place.parent.resolve() / place.name, None),)
    chosen, source, note = _choose(files, assignment)
    return Submission(
        id=id or _printable(place.name if whole else place.stem) or "submission",
        path=str(path),
        folder=str(chosen.path.parent.resolve()),
        module=chosen.path.name,
        sha256=_digest(files),
        note=note,
        imports=source.packages,
    )


def importable(submission: Submission) -> bool:
    """Return whether spawned children can import the module by its file's name; if not, `stage` it."""
    stem, suffix = os.path.splitext(submission.module)
    reserved = keyword.iskeyword(stem) or stem.startswith("__") or stem in sys.stdlib_module_names
    return suffix == ".py" and stem.isidentifier() and not reserved


def stage(submission: Submission, into: Path, name: str = "") -> Submission:
    """Copy a submission into a scratch folder, its module under the asked *name*: for one that is not `importable`.

    Without *name* an importable one is made from the module's own. Files that configure Python or pytest stay behind.
    """
    target = name or re.sub(r"\W+", "_", Path(submission.module).stem).strip("_") + ".py"
    if not importable(replace(submission, module=target)):
        target = f"module_{target}"
    root = Path(submission.folder)
    chosen = root / submission.module
    # What lies beside a single file may be somebody else's.
    files = (_look(chosen, None),) if Path(submission.path).is_file() else _files(root)
    if sum(file.size for file in files) > MOST_STAGED:
        raise UngradableError(f"the submission has more than {MOST_STAGED // 1_000_000} MB")
    for file in files:
        if file.path == chosen or not (file.fault or file.name == target or _NOT_STAGED.fullmatch(file.path.name)):
            copy = into / (target if file.path == chosen else file.name)
            copy.parent.mkdir(parents=True, exist_ok=True)
            with suppress(PermissionError):
                shutil.copyfile(file.path, copy)
    return replace(submission, folder=str(into.resolve()), module=target)


def _files(root: Path) -> tuple[_File, ...]:
    """Return all files that are a student's own, in the order of their names."""
    found: list[_File] = []
    errors: list[OSError] = []
    for folder, below, names in os.walk(root, onerror=errors.append):
        below[:] = [n for n in below if not (_NO_PART.fullmatch(n) or os.path.exists(f"{folder}/{n}/pyvenv.cfg"))]
        found += [_look(Path(folder, name), root) for name in names if not name.startswith(".")]
        if len(found) > MOST_FILES or len(Path(folder).parts) - len(root.parts) > DEEPEST:
            raise UngradableError(f"the submission has more than {MOST_FILES} files or {DEEPEST} folders in each other")
    if errors:
        folder = _printable(os.path.relpath(errors[0].filename, root.parent))
        raise UngradableError(f"the folder {folder} cannot be read: {errors[0].strerror}")
    return tuple(sorted(found, key=lambda file: file.name))


def _look(path: Path, root: Path | None) -> _File:
    """Look at a file without opening it; it may be a link to another one below *root*."""
    name = path.relative_to(root or path.parent).as_posix()
    fault = "" if os.path.isfile(path) else "is no file that can be read"
    if root and not Path(os.path.realpath(path)).is_relative_to(root):
        fault = "is a link that leads out of the submission"
    return _File(path=path, name=name, shown=_printable(name), size=0 if fault else os.path.getsize(path), fault=fault)


def _choose(files: tuple[_File, ...], assignment: Assignment) -> tuple[_File, _Source, str]:
    """Return the module to grade, and a sentence on how it was found where that is not as asked."""
    module, functions, wanted = assignment.module, ", ".join(assignment.functions), frozenset(assignment.functions)
    exact = _exact(files, module)
    asked = _read(exact) if exact else _Source()
    if asked.fault:
        raise UngradableError(asked.fault)
    where = "" if exact is None or exact.name == module else f"{module} was found as {exact.shown}."
    if exact and asked.names & (wanted | {"*"}):
        return exact, asked, where
    others = {file: _read(file, wanted) for file in files if file != exact and file.path.suffix.lower() == ".py"}
    # A script that imports the functions from the module beside it has them too, but it is not the module.
    complete = [file for file, source in others.items() if wanted <= source.own]
    complete = complete or [file for file, source in others.items() if wanted <= source.names]
    if len(complete) == 1:
        (file,) = complete
        return file, others[file], f"{file.shown} was graded in place of {module}: no other file defines {functions}."
    if exact:
        return exact, asked, where
    if complete:
        names = _list([file.shown for file in complete])
        raise UngradableError(f"there is no {module}, and several files define {functions}: {names}")
    lack = f"there is no {module}, nor another .py file that defines {functions}"
    if any(_is_notebook(file) for file in files):
        lack = f"a notebook was handed in where the module {module} is asked for"
    about = [_about(file, others.get(file), assignment) for file in files]
    raise UngradableError(f"{lack}; {f'found: {_list(about)}' if about else 'the submission is empty'}")


def _exact(files: tuple[_File, ...], module: str) -> _File | None:
    """Return the file with the asked name that is nearest to the top: an archive often adds a folder around all."""
    named = [file for file in files if file.path.name == module]
    top = min((file.name.count("/") for file in named), default=0)
    nearest = [file for file in named if file.name.count("/") == top]
    if len(nearest) > 1:
        raise UngradableError(f"several files are named {module}: {_list([file.shown for file in nearest])}")
    return nearest[0] if nearest else None


def _about(file: _File, source: _Source | None, assignment: Assignment) -> str:
    """Return what to say of a file that is not the module."""
    if source:
        lacks = ", ".join(name for name in assignment.functions if name not in source.names)
        return source.fault or f"{file.shown} (lacks {lacks})"
    return f"{file.shown} (a notebook)" if _is_notebook(file) else f"{file.shown} {file.fault}".strip()


def _is_notebook(file: _File) -> bool:
    suffix = file.path.suffix.lower()
    if suffix in (".md", ".py") and not file.fault:
        with suppress(OSError), open(file.path, "rb") as handle:
            # Jupytext's front matter, a comment in a script, names it.
            return re.match(rb"\s*(# )?---\s.*?\bjupytext:", handle.read(4096), re.DOTALL) is not None
    return suffix == ".ipynb"


def _read(file: _File, wanted: frozenset[str] = frozenset()) -> _Source:
    """Read a module as syntax; one in which none of the *wanted* names occurs is not worth parsing."""
    if file.fault:
        return _Source(fault=f"{file.shown} {file.fault}")
    try:
        with open(file.path, "rb") as handle:
            data = handle.read(MOST_SOURCE + 1)
        if len(data) > MOST_SOURCE:
            return _Source(fault=f"{file.shown} is too large for a module: over {MOST_SOURCE // 1_000_000} MB")
        if wanted and not any(name.encode() in data for name in wanted):
            return _Source()
        tree = _parse(file.shown, data)
    except OSError as error:
        return _Source(fault=f"{file.shown} cannot be read: {error.strerror}")
    except UngradableError as error:
        return _Source(fault=str(error))
    bound, nodes = list(_bound(tree)), list(ast.walk(tree))
    plain = {each.name for node in nodes if isinstance(node, ast.Import) for each in node.names}
    other = {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    packages = sorted({name.partition(".")[0] for name in plain | other})
    own = frozenset(name for name, imported in bound if not imported)
    return _Source(own=own, names=frozenset(name for name, _ in bound), packages=tuple(packages))


def _parse(shown: str, data: bytes) -> ast.Module:
    text = _text(shown, data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on a student's escapes; under `-W error` they would be syntax errors
            return _tree(data)
    except SyntaxError as error:
        line = error.lineno or 1
        code = "".join(re.split(r"\r\n|\r|\n", text)[line - 1 : line]).strip()[:100]
        what = f"{type(error).__name__}: {error.msg}{', in: ' * bool(code)}{_printable(code)}"
        raise UngradableError(f"{shown}:{line}: {what}") from error
    except (RecursionError, MemoryError) as error:
        raise UngradableError(f"{shown} is nested too deeply for Python to read it") from error


def _tree(data: bytes) -> ast.Module:
    """Parse as an import would. Long chains (1+1+…) overflow the stack of Python 3.10, which crashes: give it more."""
    if sys.version_info >= (3, 11) or len(data) < 100_000:
        return ast.parse(data)
    before = threading.stack_size(1 << 30)  # address space; what is used of it are at most 100 bytes for each of data
    with ThreadPoolExecutor(1) as pool:
        tree = pool.submit(ast.parse, data)
        threading.stack_size(before)
        return tree.result()


def _text(shown: str, data: bytes) -> str:
    """Decode a source as Python would, to say where that fails."""
    at, why = data.find(b"\0"), "a NUL byte, which Python does not read"
    try:
        encoding = tokenize.detect_encoding(io.BytesIO(data).readline)[0]
        if codecs.lookup(encoding).name in ("punycode", "idna"):  # they take minutes for a few megabytes
            raise LookupError(f"unknown encoding: {encoding}")
        if at < 0:
            return data.decode(encoding)
    except (SyntaxError, LookupError, UnicodeError) as error:
        at, why = getattr(error, "start", 0), str(error)
    raise UngradableError(f"{shown}:{data[:at].count(10) + 1}: {why}; save the file as UTF-8")


def _bound(tree: ast.Module) -> Iterator[tuple[str, bool]]:
    """Yield the names that a module binds at its top level, in `if` and `try` too, and whether by an import."""
    pending: list[ast.stmt] = list(tree.body)
    while pending:
        statement = pending.pop()
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield statement.name, False
        elif isinstance(statement, (ast.Import, ast.ImportFrom)):
            yield from ((each.asname or each.name.partition(".")[0], True) for each in statement.names)
        elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
            nodes = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
            yield from ((node.id, False) for node in nodes if isinstance(node.ctx, ast.Store) and statement.value)
        else:
            pending.extend(_inside(statement))


def _inside(statement: ast.stmt) -> Iterator[ast.stmt]:
    """Yield the statements in one that runs at import; what is below a main gate does not."""
    test = getattr(statement, "test", None)
    sides = (test.left, *test.comparators) if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Eq) else ()
    gate = {getattr(side, "id", getattr(side, "value", None)) for side in sides} == {"__name__", "__main__"}
    for part in (statement, *getattr(statement, "handlers", []), *getattr(statement, "cases", [])):
        for block in ("orelse",) if gate else ("body", "orelse", "finalbody"):
            yield from getattr(part, block, [])


def _digest(files: tuple[_File, ...]) -> str:
    """Return a hash of all names and contents; for what is huge or unreadable its size stands for its content."""
    whole = hashlib.sha256()
    for file in files:
        part = hashlib.sha256(b"%d" % file.size)
        if not file.fault and file.size <= HUGE:
            with suppress(OSError):
                part.update(file.path.read_bytes())
        whole.update(hashlib.sha256(os.fsencode(file.name)).digest() + part.digest())
    return whole.hexdigest()


def _list(names: list[str]) -> str:
    return ", ".join(names[:LISTED]) + (f" and {len(names) - LISTED} more" if len(names) > LISTED else "")


def _printable(text: str) -> str:
    """Return a student's text for a line of output: without newlines, escapes and what no encoding can show."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
