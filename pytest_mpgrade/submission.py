"""Find the module to grade in what somebody handed in: by its name, else by its syntax.

Called by the command line and the plugin. Students rename files and hand in more than was asked for, and all of it has
to be read without harm: nothing is imported or run here, and no link that leads out of a submission is followed.
"""

from __future__ import annotations

import hashlib
import keyword
import os
import re
import shutil
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_mpgrade import notebooks, syntax
from pytest_mpgrade.errors import UngradableError, UsageError
from pytest_mpgrade.records import Assignment, Code, Submission
from pytest_mpgrade.syntax import Source, printable

__all__ = ["discover", "importable", "stage"]

MOST_SOURCE, HUGE, MOST_STAGED = 5_000_000, 50_000_000, 200_000_000  # bytes
MOST_FILES, DEEPEST, LISTED = 20_000, 100, 8
NOTEBOOKS = (".ipynb", ".md")
TEXT_NOTEBOOKS = (".md", ".py")
_TAKEN = "its imports, functions, classes and constants, and nothing that it computes"
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


def discover(path: Path, assignment: Assignment, id: str | None = None) -> Submission:
    """Find the module to grade at *path*, a folder or a file.

    Raises UsageError where there is nothing at *path*, and UngradableError, with what was found, where no module or no
    single one can be graded. The module may have a name that cannot be imported: see `importable` and `stage`.
    """
    if not os.path.exists(path):
        raise UsageError(f"there is no submission at {printable(str(path))}")
    place = Path(os.path.abspath(path))
    whole = place.is_dir()
    files = _files(place.resolve()) if whole else (_look(place.parent.resolve() / place.name, None),)
    chosen, source, note = _notebook(files, assignment) if assignment.notebook else _choose(files, assignment)
    return Submission(
        id=id or printable(place.name if whole else place.stem) or "submission",
        path=str(path),
        folder=str(chosen.path.parent.resolve()),
        module=chosen.path.name,
        sha256=_digest(files),
        note=note,
        imports=source.packages,
        code=Code(defines=tuple(sorted(source.own)), uses=source.uses),
    )


def importable(submission: Submission) -> bool:
    """Return whether spawned children can import the module by its file's name; if not, `stage` it."""
    stem, suffix = os.path.splitext(submission.module)
    reserved = keyword.iskeyword(stem) or stem.startswith("__") or stem in sys.stdlib_module_names
    return suffix == ".py" and stem.isidentifier() and not reserved


def stage(submission: Submission, into: Path, name: str = "") -> Submission:
    """Copy a submission into a scratch folder, its module under the asked *name*: for one that is not `importable`.

    Without *name* an importable one is made from the module's own; a notebook that is asked for stays what it is. Files
    that configure Python or pytest stay behind.
    """
    target = name or re.sub(r"\W+", "_", Path(submission.module).stem).strip("_") + ".py"
    as_notebook = Path(name).suffix in NOTEBOOKS
    if as_notebook:
        target = submission.module
    elif not importable(replace(submission, module=target)):
        target = f"module_{target}"
    root = Path(submission.folder)
    chosen = root / submission.module
    # What lies beside a single file may be somebody else's.
    files = _alone(chosen, submission) if Path(submission.path).is_file() else _files(root)
    if sum(file.size for file in files) > MOST_STAGED:
        raise UngradableError(f"the submission has more than {MOST_STAGED // 1_000_000} MB")
    for file in files:
        if file.path == chosen or not (file.fault or file.name == target or _NOT_STAGED.fullmatch(file.path.name)):
            copy = into / (target if file.path == chosen else file.name)
            copy.parent.mkdir(parents=True, exist_ok=True)
            with suppress(PermissionError):
                if file.path == chosen and chosen.suffix.lower() in NOTEBOOKS and not as_notebook:
                    copy.write_text(notebooks.extract(chosen, chosen.name).source, encoding="utf-8")
                else:
                    shutil.copyfile(file.path, copy)
    return replace(submission, folder=str(into.resolve()), module=target)


def _alone(chosen: Path, submission: Submission) -> tuple[_File, ...]:
    """Return a file that was handed in by itself; a notebook with the modules beside it that it imports."""
    beside = [chosen.with_name(f"{name}.py") for name in submission.imports if chosen.suffix != ".py"]
    return tuple(_look(path, None) for path in (chosen, *beside) if path == chosen or path.is_file())


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
        folder = printable(os.path.relpath(errors[0].filename, root.parent))
        raise UngradableError(f"the folder {folder} cannot be read: {errors[0].strerror}")
    return tuple(sorted(found, key=lambda file: file.name))


def _look(path: Path, root: Path | None) -> _File:
    """Look at a file without opening it; it may be a link to another one below *root*."""
    name = path.relative_to(root or path.parent).as_posix()
    fault = "" if os.path.isfile(path) else "is no file that can be read"
    if root and not Path(os.path.realpath(path)).is_relative_to(root):
        fault = "is a link that leads out of the submission"
    return _File(path=path, name=name, shown=printable(name), size=0 if fault else os.path.getsize(path), fault=fault)


def _choose(files: tuple[_File, ...], assignment: Assignment) -> tuple[_File, Source, str]:
    """Return the module to grade, and a sentence on how it was found where that is not as asked."""
    module, functions, wanted = assignment.module, ", ".join(assignment.functions), frozenset(assignment.functions)
    exact = _exact(files, module)
    asked = _read(exact) if exact else Source()
    if asked.fault:
        raise asked.fault
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
    books = {file: _in_notebook(file) for file in files if not complete and _is_notebook(file)}
    whole = [file for file, (source, _) in books.items() if wanted <= source.own]
    if len(whole) == 1:
        (file,) = whole
        source, cells = books[file]
        return file, source, f"The functions were taken from the notebook {file.shown} ({cells}): {_TAKEN}."
    if exact:
        return exact, asked, where
    complete = complete or whole
    if complete:
        names = _list([file.shown for file in complete])
        raise UngradableError(f"there is no {module}, and several files define {functions}: {names}")
    lack = f"there is no {module}, nor another .py file that defines {functions}"
    if any(_is_notebook(file) for file in files):
        lack = f"a notebook was handed in where the module {module} is asked for"
    read = others | {file: source for file, (source, _) in books.items()}
    about = [_about(file, read.get(file), assignment) for file in files]
    what = f"{lack}; {f'found: {_list(about)}' if about else 'the submission is empty'}"
    raise UngradableError(what, hint=f"hand in a file named {module}")


def _notebook(files: tuple[_File, ...], assignment: Assignment) -> tuple[_File, Source, str]:
    """Return the notebook to execute, and a sentence on how it was found where that is not as asked."""
    stem = Path(assignment.module).stem
    named = [_exact(files, stem + suffix) for suffix in (".ipynb", *TEXT_NOTEBOOKS)]
    found = next((file for file in named if file), None)
    if found is None:
        others = [file for file in files if _is_notebook(file)]
        if len(others) > 1:
            raise UngradableError(
                f"there is no {assignment.module}, and several notebooks: {_list([file.shown for file in others])}"
            )
        if not others:
            names = _list([file.shown for file in files])
            raise UngradableError(
                f"there is no {assignment.module}, nor another notebook; "
                + (f"found: {names}" if names else "the submission is empty")
            )
        (found,) = others
    if found.fault:
        raise _unread(found)
    imported = notebooks.imports(notebooks.document(found.path, found.shown))
    note = "" if found.name == assignment.module else f"{found.shown} was executed as {assignment.module}."
    return found, Source(imports=tuple(each for _, each in imported)), note


def _exact(files: tuple[_File, ...], module: str) -> _File | None:
    """Return the file with the asked name that is nearest to the top: an archive often adds a folder around all."""
    named = [file for file in files if file.path.name == module]
    top = min((file.name.count("/") for file in named), default=0)
    nearest = [file for file in named if file.name.count("/") == top]
    if len(nearest) > 1:
        raise UngradableError(f"several files are named {module}: {_list([file.shown for file in nearest])}")
    return nearest[0] if nearest else None


def _about(file: _File, source: Source | None, assignment: Assignment) -> str:
    """Return what to say of a file that is not the module."""
    if source:
        lacks = ", ".join(name for name in assignment.functions if name not in source.names)
        return str(source.fault or "") or f"{file.shown} ({'a notebook, ' * _is_notebook(file)}lacks {lacks})"
    return f"{file.shown} {file.fault}".strip()


def _in_notebook(file: _File) -> tuple[Source, str]:
    """Return what the module in a notebook would have, and which cells it would be made of."""
    if file.fault:
        return Source(fault=_unread(file)), ""
    try:
        made = notebooks.extract(file.path, file.shown)
        tree = syntax.parse(file.shown, made.source.encode())
    except UngradableError as error:
        return Source(fault=error), ""
    return syntax.told(tree), f"code cell{'s' * (len(made.cells) > 1)} {', '.join(map(str, made.cells))}"


def _is_notebook(file: _File) -> bool:
    suffix = file.path.suffix.lower()
    if suffix in (".md", ".py") and not file.fault:
        with suppress(OSError), open(file.path, "rb") as handle:
            # Jupytext's front matter, a comment in a script, names it.
            return re.match(rb"\s*(# )?---\s.*?\bjupytext:", handle.read(4096), re.DOTALL) is not None
    return suffix == ".ipynb"


def _read(file: _File, wanted: frozenset[str] = frozenset()) -> Source:
    """Read a module as syntax; one in which none of the *wanted* names occurs is not worth parsing."""
    if file.fault:
        return Source(fault=_unread(file))
    try:
        with open(file.path, "rb") as handle:
            data = handle.read(MOST_SOURCE + 1)
        if len(data) > MOST_SOURCE:
            too_large = f"{file.shown} is too large for a module: over {MOST_SOURCE // 1_000_000} MB"
            return Source(fault=UngradableError(too_large, source={"file": file.shown}))
        if wanted and not any(name.encode() in data for name in wanted):
            return Source()
        tree = syntax.parse(file.shown, data)
    except OSError as error:
        why = f"{file.shown} cannot be read: {error.strerror}"
        return Source(fault=UngradableError(why, source={"file": file.shown}))
    except UngradableError as error:
        return Source(fault=error)
    return syntax.told(tree)


def _unread(file: _File) -> UngradableError:
    return UngradableError(f"{file.shown} {file.fault}", source={"file": file.shown})


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
