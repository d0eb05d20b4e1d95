"""`python -m pytest_mpgrade` is `mpgrade`."""

from __future__ import annotations

import os
import sys

# Python put the current folder first on sys.path: a student's queue.py there must not be taken for
# the library's. Only where the package itself lies in that folder (a source tree) it has to stay.
if sys.path[:1] == [os.getcwd()] and not os.path.samefile(
    os.path.dirname(os.path.dirname(__file__)), "."
):
    del sys.path[0]

from pytest_mpgrade.cli import main

if __name__ == "__main__":
    sys.exit(main())
