"""The picture in the README and the site is drawn by the program, of a real grading."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.running import ROOT, variables

PICTURE = ROOT / "docs" / "images" / "hang.svg"


def description(svg: str) -> str:
    """Return what a drawing says of itself, without the numbers of processes."""
    (found,) = re.findall(r"<desc[^>]*>(.*?)</desc>", svg, re.DOTALL)
    return re.sub(r"\d+(\.\d+)?", "N", found)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="drawn on Linux")
def test_picture_is_drawn_by_the_program(tmp_path: Path) -> None:
    """Drawn anew, the picture says the same of the same call."""
    drawn = tmp_path / "hang.svg"
    command = [sys.executable, "docs/_ext/draw_hang.py", str(drawn)]
    subprocess.run(command, cwd=ROOT, env=variables(), check=True)
    kept = description(PICTURE.read_text("utf-8"))
    anew = description(drawn.read_text("utf-8"))
    # Long ones are cut, sooner where the numbers of processes have more digits.
    length = min(len(kept), len(anew)) - 1
    assert length > 200
    assert kept[:length] == anew[:length]
    assert "waits for worker N to end" in kept
