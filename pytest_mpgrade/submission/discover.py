"""Find the module to grade in a submission: by its name, else by its syntax.

Called by the command line and the plugin. Students rename files and hand in more than was asked
for, and reading all of it must be harmless. So nothing is imported or run here, and no link that
leads out of a submission is followed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from pytest_mpgrade.errors import UngradableError, UsageError
from pytest_mpgrade.records import Assignment, Code, Submission
from pytest_mpgrade.submission import handed_in, notebooks, syntax
from pytest_mpgrade.submission.digest import digest
from pytest_mpgrade.submission.handed_in import File
from pytest_mpgrade.submission.syntax import ModuleSyntax, printable

MOST_SOURCE = 5_000_000  # bytes
LISTED = 8
"""Names in a message, which stays two or three lines long."""
NOTEBOOKS = (".ipynb", ".md")
TEXT_NOTEBOOKS = (".md", ".py")
_TAKEN = "its imports, functions, classes and constants, and nothing that it computes"
_Choice = tuple[File, ModuleSyntax, str]
"""The file to grade, its syntax, and a note on how it was chosen, or ""."""


def discover(path: Path, assignment: Assignment, id: str | None = None) -> Submission:
    """Find the module to grade at *path*, a folder or a file.

    Raises UsageError where there is nothing at *path*. Raises UngradableError, with a list of the
    files, where no module, or no single one, can be graded. The module may have a name that cannot
    be imported: see `staging`.
    """
    if not os.path.exists(path):
        raise UsageError(f"there is no submission at {printable(str(path))}")
    place = Path(os.path.abspath(path))
    whole = place.is_dir()
    files = (
        own_files(place.resolve())
        if whole
        else (handed_in.look_at_file(place.parent.resolve() / place.name),)
    )
    chosen, source, note = (_notebook if assignment.notebook else _choose)(files, assignment)
    return Submission(
        id=id or printable(place.name if whole else place.stem) or "submission",
        path=str(path),
        folder=str(chosen.path.parent.resolve()),
        module=chosen.path.name,
        sha256=digest(files),
        note=note,
        imports=source.packages,
        code=Code(defines=tuple(sorted(source.own)), uses=source.uses, file=chosen.path.name),
    )


def own_files(root: Path) -> tuple[File, ...]:
    """Return all files that are a student's own, sorted by name.

    Raises UngradableError where a folder cannot be read.
    """
    errors: list[OSError] = []
    files = sorted(handed_in.files(root, errors.append), key=lambda file: file.name)
    if errors:
        folder = printable(os.path.relpath(errors[0].filename, root.parent))
        raise UngradableError(f"the folder {folder} cannot be read: {errors[0].strerror}")
    return tuple(files)


def _choose(files: tuple[File, ...], assignment: Assignment) -> _Choice:
    """Return the module to grade, and a note on it where it is not the file that was asked for."""
    module, functions = assignment.module, ", ".join(assignment.functions)
    wanted = frozenset(assignment.functions)
    exact = _exact(files, module)
    asked = _read(exact) if exact else ModuleSyntax()
    if asked.fault:
        raise asked.fault
    where = (
        "" if exact is None or exact.name == module else f"{module} was found as {_shown(exact)}."
    )
    if exact and asked.names & (wanted | {"*"}):
        return exact, asked, where
    scripts = {
        file: _read(file, wanted)
        for file in files
        if file != exact and file.path.suffix.lower() == ".py"
    }
    complete = _complete(scripts, wanted)
    if len(complete) == 1:
        (file,) = complete
        note = f"{_shown(file)} was graded in place of {module}: no other file defines {functions}."
        return file, scripts[file], note
    books = {file: _in_notebook(file) for file in files if not complete and _is_notebook(file)}
    whole = [file for file, (source, _) in books.items() if wanted <= source.own]
    if len(whole) == 1:
        (file,) = whole
        source, cells = books[file]
        note = f"The functions were taken from the notebook {_shown(file)} ({cells}): {_TAKEN}."
        return file, source, note
    if exact:
        return exact, asked, where
    sources = scripts | {file: source for file, (source, _) in books.items()}
    raise _no_module(files, sources, complete or whole, assignment)


def _complete(scripts: Mapping[File, ModuleSyntax], wanted: frozenset[str]) -> list[File]:
    """Return the scripts that define all wanted functions; without any, those that import them.

    A script that imports the functions from the module beside it has them, too, but it is not the
    module.
    """
    own = [file for file, source in scripts.items() if wanted <= source.own]
    return own or [file for file, source in scripts.items() if wanted <= source.names]


def _no_module(
    files: Sequence[File],
    sources: Mapping[File, ModuleSyntax],
    complete: Sequence[File],
    assignment: Assignment,
) -> UngradableError:
    """Return the error for a submission in which no module, or no single one, can be graded."""
    module, functions = assignment.module, ", ".join(assignment.functions)
    if complete:
        names = _list([_shown(file) for file in complete])
        return UngradableError(
            f"there is no {module}, and several files define {functions}: {names}"
        )
    lack = f"there is no {module}, nor another .py file that defines {functions}"
    if any(_is_notebook(file) for file in files):
        lack = f"a notebook was handed in where the module {module} is asked for"
    about = [_about(file, sources.get(file), assignment) for file in files]
    what = f"{lack}; {f'found: {_list(about)}' if about else 'the submission is empty'}"
    return UngradableError(what, hint=f"hand in a file named {module}")


def _notebook(files: tuple[File, ...], assignment: Assignment) -> _Choice:
    """Return the notebook to execute, and a note on it where it is not the one asked for."""
    stem = Path(assignment.module).stem
    named = [_exact(files, stem + suffix) for suffix in (".ipynb", *TEXT_NOTEBOOKS)]
    book = next((file for file in named if file), None)
    if book is None:
        others = [file for file in files if _is_notebook(file)]
        if len(others) > 1:
            raise UngradableError(
                f"there is no {assignment.module}, and several notebooks:"
                f" {_list([_shown(file) for file in others])}"
            )
        if not others:
            names = _list([_shown(file) for file in files])
            raise UngradableError(
                f"there is no {assignment.module}, nor another notebook; "
                + (f"found: {names}" if names else "the submission is empty")
            )
        (book,) = others
    if book.fault:
        raise _unread(book)
    imported = notebooks.notebook_imports(notebooks.document(book.path, _shown(book)))
    note = (
        ""
        if book.name == assignment.module
        else f"{_shown(book)} was executed as {assignment.module}."
    )
    return book, ModuleSyntax(imports=tuple(each for _, each in imported)), note


def _exact(files: tuple[File, ...], module: str) -> File | None:
    """Return the file with the asked name that is nearest to the top, or None.

    An archive often adds a folder around everything.
    """
    named = [file for file in files if file.path.name == module]
    top = min((file.name.count("/") for file in named), default=0)
    nearest = [file for file in named if file.name.count("/") == top]
    if len(nearest) > 1:
        raise UngradableError(
            f"several files are named {module}: {_list([_shown(file) for file in nearest])}"
        )
    return nearest[0] if nearest else None


def _about(file: File, source: ModuleSyntax | None, assignment: Assignment) -> str:
    """Return how to describe a file that is not the module."""
    if source:
        lacks = ", ".join(name for name in assignment.functions if name not in source.names)
        return (
            str(source.fault or "")
            or f"{_shown(file)} ({'a notebook, ' * _is_notebook(file)}lacks {lacks})"
        )
    return f"{_shown(file)} {file.fault}".strip()


def _in_notebook(file: File) -> tuple[ModuleSyntax, str]:
    """Return the syntax of the module in a notebook, and the code cells from which it is made."""
    if file.fault:
        return ModuleSyntax(fault=_unread(file)), ""
    try:
        made = notebooks.extract(file.path, _shown(file))
        tree = syntax.parse_module(_shown(file), made.source.encode())
    except UngradableError as error:
        return ModuleSyntax(fault=error), ""
    return (
        syntax.module_syntax(tree),
        f"code cell{'s' * (len(made.cells) > 1)} {', '.join(map(str, made.cells))}",
    )


def _is_notebook(file: File) -> bool:
    suffix = file.path.suffix.lower()
    if suffix in (".md", ".py") and not file.fault:
        with suppress(OSError):
            # Jupytext's front matter, in a script a comment, has its name.
            head = handed_in.content(file.path, 4096)
            return re.match(rb"\s*(# )?---\s.*?\bjupytext:", head, re.DOTALL) is not None
    return suffix == ".ipynb"


def _read(file: File, wanted: frozenset[str] = frozenset()) -> ModuleSyntax:
    """Read a module as syntax; skip parsing where none of the *wanted* names occurs in its text."""
    if file.fault:
        return ModuleSyntax(fault=_unread(file))
    try:
        data = handed_in.content(file.path, MOST_SOURCE + 1)
        if len(data) > MOST_SOURCE:
            too_large = (
                f"{_shown(file)} is too large for a module: over {MOST_SOURCE // 1_000_000} MB"
            )
            return ModuleSyntax(fault=UngradableError(too_large, source={"file": _shown(file)}))
        if wanted and not any(name.encode() in data for name in wanted):
            return ModuleSyntax()
        tree = syntax.parse_module(_shown(file), data)
    except OSError as error:
        why = f"{_shown(file)} cannot be read: {error.strerror}"
        return ModuleSyntax(fault=UngradableError(why, source={"file": _shown(file)}))
    except UngradableError as error:
        return ModuleSyntax(fault=error)
    return syntax.module_syntax(tree)


def _unread(file: File) -> UngradableError:
    return UngradableError(f"{_shown(file)} {file.fault}", source={"file": _shown(file)})


def _shown(file: File) -> str:
    """Return a file's name so that it can be printed."""
    return printable(file.name)


def _list(names: list[str]) -> str:
    return ", ".join(names[:LISTED]) + (
        f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    )
