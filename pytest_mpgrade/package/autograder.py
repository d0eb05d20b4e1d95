"""Classroom 50's hook: grades the checkout that it is started in, and writes `result.json` there.

It needs only the files beside it, pip, and Python 3.10 or newer. It writes a result that says "not
graded" before it does anything else, and its exit status is always 0.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

from pytest_mpgrade.system.timestamps import utc_stamp

DEADLINE = 720
"""Seconds for a grading with its installation; Classroom 50 ends the whole job after 15 min."""
EXTRAS = "stacks"
PACKAGES = ""
_VARIABLES = {
    "classroom": "CLASSROOM",
    "assignment": "ASSIGNMENT",
    "submission": "SUBMISSION_TAG",
    "commit": "COMMIT_URL",
    "release": "RELEASE_URL",
    "review": "REVIEW_URL",
}


def main() -> int:
    """Grade; called by the job of each submission."""
    end = time.time() + DEADLINE
    checkout = Path.cwd()
    result = checkout / "result.json"
    result.write_text(json.dumps(_not_graded()), encoding="utf-8")
    bundle = Path(os.environ.get("CLASSROOM50_BUNDLE_DIR") or Path(__file__).parent).resolve()
    with tempfile.TemporaryDirectory(prefix="mpgrade-") as folder:
        try:
            _grade(checkout, result, bundle, Path(folder), end)
        # Any error: the result that was written first says "not graded".
        except Exception as error:
            print(f"autograder.py: not graded: {type(error).__name__}: {error}", file=sys.stderr)
    return 0


def _grade(checkout: Path, result: Path, bundle: Path, folder: Path, end: float) -> None:
    venv.create(folder / "venv", with_pip=True)
    python = str(folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python")
    wheel = next(bundle.glob("pytest_mpgrade-*.whl"))
    install = [
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        f"{wheel}[{EXTRAS}]",
        *PACKAGES.split(),
    ]
    subprocess.run(install, cwd=folder, check=True, timeout=end - time.time())
    words = [
        "grade",
        str(checkout),
        "--assignment",
        str(bundle / "assignment"),
        "--out",
        str(folder / "out"),
    ]
    words += [
        "--format",
        f"classroom50={result}",
        "--deadline",
        f"{max(1.0, end - time.time()):.0f}",
    ]
    words += ["--id", os.environ.get("USERNAME") or checkout.name]
    # Not in the checkout, whose files could be imported.
    subprocess.run(
        [python, "-m", "pytest_mpgrade", *words],
        cwd=folder,
        check=False,
        timeout=end + 60 - time.time(),
    )


def _not_graded() -> dict[str, object]:
    test = {
        "test-name": "graded",
        "passed": False,
        "score": 0,
        "max-score": 0,
        "message": "the grader did not start",
    }
    return {
        "schema": "classroom50/result/v1",
        **{key: os.environ.get(name, "") for key, name in _VARIABLES.items()},
        "datetime": utc_stamp(),
        "score": 0,
        "max-score": 0,
        "tests": [test],
    }


if __name__ == "__main__":
    sys.exit(main())
