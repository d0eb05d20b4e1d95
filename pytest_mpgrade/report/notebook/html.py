"""Make HTML pages of notebooks; the only user of nbconvert.

``python -m pytest_mpgrade.report.notebook.html FILE.ipynb …`` writes ``FILE.html``.

It runs in a process of its own, since nbconvert takes long to load, and a stranger's notebook may
take for ever. A page has no scripts and nothing else by which it could act.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from pytest_mpgrade.system.atomic_write import write_bytes

TAGS = frozenset(
    (
        "a",
        "abbr",
        "b",
        "blockquote",
        "br",
        "caption",
        "code",
        "dd",
        "del",
        "div",
        "dl",
        "dt",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "kbd",
        "li",
        "ol",
        "p",
        "pre",
        "s",
        "samp",
        "span",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "u",
        "ul",
    )
)
"""The elements that texts and tables of a notebook may have; none acts, or loads anything."""
ATTRIBUTES = {
    "*": ["class", "title"],
    "a": ["href"],
    "th": ["colspan", "rowspan"],
    "td": ["colspan", "rowspan"],
}

KINDS = ("text/html", "text/markdown", "text/latex", "image/png", "image/jpeg", "text/plain")
"""A page shows the first of these that an output has."""
_NO_TEXT = re.compile(r"<(script|style)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)


def main(paths: list[str]) -> None:
    """Convert each."""
    import bleach
    from nbconvert import HTMLExporter
    from traitlets.config import Config

    def clean(element: object) -> str:
        text = element.decode("utf-8", "replace") if isinstance(element, bytes) else str(element)
        return str(
            bleach.clean(_NO_TEXT.sub("", text), tags=TAGS, attributes=ATTRIBUTES, strip=True)
        )

    safe = {
        "tags": sorted(TAGS),
        "attributes": ATTRIBUTES,
        "strip": True,
        "safe_output_keys": {*KINDS, "metadata"},
    }
    config = Config(
        {
            "SanitizeHTML": safe | {"sanitized_output_types": set()},  # that is for `clean`
            "NbConvertBase": {"display_data_priority": [*KINDS]},
        }
    )
    exporter: Any = HTMLExporter(config=config, sanitize_html=True)
    exporter.register_filter("clean_html", clean)
    for path in map(Path, paths):
        page, _ = exporter.from_filename(str(path))
        write_bytes(page.encode("utf-8", "replace"), path.with_suffix(".html"))


if __name__ == "__main__":
    main(sys.argv[1:])
