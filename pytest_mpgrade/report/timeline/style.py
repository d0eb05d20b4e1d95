"""Colours and patterns of a timeline.

Each kind of a span differs by its pattern, not only by its colour, and colours follow the reader's
scheme, light or dark.
"""

from __future__ import annotations

_LIGHT = (
    "--tl-ink:#1b1f24;--tl-soft:#57606a;--tl-page:#fff;--tl-line:#8c959f;--tl-run:#0a5fc4;"
    "--tl-hold:#7a5200;--tl-bad:#b3261e;--tl-after:#b3261e14"
)
_DARK = (
    "--tl-ink:#e6edf3;--tl-soft:#a4aeb8;--tl-page:#0d1117;--tl-line:#6e7681;--tl-run:#6cb6ff;"
    "--tl-hold:#e3b341;--tl-bad:#ff8a80;--tl-after:#ff8a8022"
)
STYLE = (
    f".tl{{{_LIGHT};max-width:100%;height:auto;display:block}}"
    f"@media (prefers-color-scheme:dark){{.tl{{{_DARK}}}}}"
    f"@media print{{.tl{{{_LIGHT}}}}}"
    ".tl text{font:13px system-ui,sans-serif;fill:var(--tl-ink)}"
    ".tl .soft{font-size:12px;fill:var(--tl-soft)}"
    ".tl .big{font-size:15px;font-weight:650}"
    ".tl .strong{font-weight:650}"
    ".tl .bad{fill:var(--tl-bad);font-weight:650}"
    ".tl .code{font:12px ui-monospace,monospace}"
    ".tl .halo{paint-order:stroke;stroke:var(--tl-page);stroke-width:4px;stroke-linejoin:round}"
    ".tl .small{font-size:11px}"
    ".tl rect.own{fill:var(--tl-run);fill-opacity:.22;stroke:var(--tl-run)}"
    ".tl rect.starting,.tl rect.waiting,.tl rect.ended{stroke:var(--tl-line)}"
    ".tl rect.waiting{stroke-dasharray:4 3}"
    ".tl rect.gate{stroke:var(--tl-hold);stroke-width:1.5}"
    ".tl rect.zombie,.tl rect.alive{stroke:var(--tl-bad);stroke-width:2}"
    ".tl rect.after{fill:var(--tl-after)}"
    ".tl .grid{stroke:var(--tl-line);stroke-opacity:.4}"
    ".tl .axis{stroke:var(--tl-line)}"
    ".tl .moment{stroke:var(--tl-ink);stroke-width:1.5}"
    ".tl .begun{stroke:var(--tl-run);stroke-width:2.5}"
    ".tl .ended{stroke:var(--tl-ink);stroke-width:3}"
    ".tl .arrow{fill:none;stroke:var(--tl-soft)}"
    ".tl .reaped{fill:none;stroke:var(--tl-soft);stroke-dasharray:2 3}"
    ".tl .passed{fill:none;stroke:var(--tl-run);stroke-opacity:.55}"
    ".tl .awaits{fill:none;stroke:var(--tl-bad);stroke-width:2}"
    ".tl .head{fill:var(--tl-soft)}.tl .headbad{fill:var(--tl-bad)}"
    ".tl .headpassed{fill:var(--tl-run);fill-opacity:.55}"
)
"""The style sheet of all timelines of a page; each drawing carries it, so that it stands alone."""

_PATTERNS = {
    "starting": (8, "M0 8L8 0", "line", 1.2),
    "waiting": (6, "M2 3h1.6", "soft", 1.6),
    "gate": (6, "M3 0v6", "hold", 1.6),
    "ended": (7, "M0 3.5h7M3.5 0v7", "line", 1.0),
    "zombie": (7, "M0 7L7 0M0 0L7 7", "bad", 1.2),
    "alive": (6, "M0 3h6", "bad", 2.0),
}
"""The size of each pattern's square in pixels, the path in it, its colour and the line's width."""


def head_of(ident: str) -> str:
    """Return the style sheet and the patterns of a drawing, whose ids begin with *ident*."""
    patterns = "".join(
        f'<pattern id="{ident}-{name}" width="{size}" height="{size}"'
        f' patternUnits="userSpaceOnUse"><path d="{path}" fill="none" stroke="var(--tl-{colour})"'
        f' stroke-width="{width}"/></pattern>'
        for name, (size, path, colour, width) in _PATTERNS.items()
    )
    return f"<style>{STYLE}</style><defs>{patterns}</defs>"
