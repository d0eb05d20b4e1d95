#!/usr/bin/env python3
"""Gradescope's `run_autograder`: shows a result that was made elsewhere; nothing is graded.

It runs in Gradescope's container, with nothing but Python. The results lie beside it, each named by
the number of its submission. A submission without one gets no result, which Gradescope reports: a
score that says nothing must not take the place of an earlier one.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

HOME = Path("/autograder")


def main(home: Path = HOME) -> int:
    """Put the result of the submission that Gradescope names where it is looked for."""
    told = json.loads((home / "submission_metadata.json").read_text(encoding="utf-8"))
    result = home / "source" / "results" / f"{int(told['id'])}.json"
    if not result.is_file():
        print(f"there is no result for submission {told['id']}: it was not in the export")
        return 1
    (home / "results").mkdir(exist_ok=True)
    shutil.copyfile(result, home / "results" / "results.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
