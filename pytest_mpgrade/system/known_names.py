"""Names that Python and its library have, for those who have misspelt one."""

from __future__ import annotations

import builtins
import multiprocessing
import sys

BUILTINS = frozenset(dir(builtins))
MODULES = frozenset(sys.stdlib_module_names)
MULTIPROCESSING = frozenset(multiprocessing.__all__)
ABBREVIATED = {
    "mp": "import multiprocessing as mp",
    "np": "import numpy as np",
    "pd": "import pandas as pd",
}
"""The import statements of modules that are mostly known by another name."""
