"""Programs that hang, from the part that differs."""

from __future__ import annotations

import textwrap

HEAD = """
import multiprocessing as mp
import os
import queue
import signal
import sys
import threading
import time
from multiprocessing.connection import wait
"""


def program(text: str) -> str:
    """Return the source of a submission."""
    return HEAD + textwrap.dedent(text)
