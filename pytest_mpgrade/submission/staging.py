"""Copy a submission to where spawned children can import its module by a name that Python allows.

Students name their files freely: `cv-funcs (1).py` cannot be imported, and a notebook is no module.
"""

from __future__ import annotations

import keyword
import os
import re
import sys
from dataclasses import replace
from pathlib import Path

from pytest_mpgrade.errors import UngradableError
from pytest_mpgrade.records import Submission
from pytest_mpgrade.submission import handed_in, notebooks
from pytest_mpgrade.submission.discover import NOTEBOOKS, own_files
from pytest_mpgrade.submission.handed_in import File

MOST_STAGED = 200_000_000  # bytes
# These files configure Python or pytest in any folder.
_NOT_STAGED = re.compile(
    r"(conftest|(site|user)customize)\.py|(pytest|tox)\.ini|setup\.cfg|pyproject\.toml|.*\.pth"
)


def importable(submission: Submission) -> bool:
    """Return whether spawned children can import the module by its name; if not, `stage` it."""
    stem, suffix = os.path.splitext(submission.module)
    reserved = keyword.iskeyword(stem) or stem.startswith("__") or stem in sys.stdlib_module_names
    return suffix == ".py" and stem.isidentifier() and not reserved


def stage(submission: Submission, into: Path, name: str = "") -> Submission:
    """Copy a submission that is not `importable` into a scratch folder, its module as *name*.

    Without *name*, an importable one is made from the module's own. A notebook keeps its name where
    a notebook was asked for. Files that configure Python or pytest are not copied.
    """
    target = name or re.sub(r"\W+", "_", Path(submission.module).stem).strip("_") + ".py"
    as_notebook = Path(name).suffix in NOTEBOOKS
    if as_notebook:
        target = submission.module
    elif not importable(replace(submission, module=target)):
        target = f"module_{target}"
    root = Path(submission.folder)
    chosen = root / submission.module
    # Other files beside a single file may belong to another student.
    files = _alone(chosen, submission) if Path(submission.path).is_file() else own_files(root)
    if sum(file.size for file in files) > MOST_STAGED:
        raise UngradableError(f"the submission has more than {MOST_STAGED // 1_000_000} MB")
    for file in files:
        if file.path == chosen or not (
            file.fault or file.name == target or _NOT_STAGED.fullmatch(file.path.name)
        ):
            into.mkdir(parents=True, exist_ok=True)
            if file.path == chosen and chosen.suffix.lower() in NOTEBOOKS and not as_notebook:
                (into / target).write_text(
                    notebooks.extract(chosen, chosen.name).source, encoding="utf-8"
                )
            else:
                handed_in.copy_file(file.path, into, target if file.path == chosen else file.name)
    return replace(submission, folder=str(into.resolve()), module=target)


def _alone(chosen: Path, submission: Submission) -> tuple[File, ...]:
    """Return a file that was handed in by itself; with a notebook, the modules that it imports.

    Only modules beside the notebook count.
    """
    beside = [
        chosen.with_name(f"{name}.py") for name in submission.imports if chosen.suffix != ".py"
    ]
    return tuple(
        handed_in.look_at_file(path)
        for path in (chosen, *beside)
        if path == chosen or os.path.isfile(path)
    )
