"""Names of files that a machine makes beside people's files.

They are ignored wherever files are read, copied or packed.
"""

from __future__ import annotations

import re

IGNORED = frozenset(("__pycache__", "__MACOSX"))
"""Folders that Python and macOS make."""
IN_ARCHIVES = re.compile(r"__MACOSX/|.*\.DS_Store$|.*/\._[^/]*$|\._[^/]*$")
"""The members that macOS adds to an archive, by their names from its top."""
