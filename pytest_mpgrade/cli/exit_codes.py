"""Exit codes of `mpgrade`, as docs/contract.md describes them under "exit-codes"."""

from __future__ import annotations

RIGHT, WRONG, USAGE, UNGRADABLE = 0, 1, 2, 3
"""No check failed, some did, wrong usage, some submission could not be graded."""
