"""How Sphinx makes the site of these pages: `make docs`."""

from __future__ import annotations

import sys
from pathlib import Path

from pytest_mpgrade import __version__

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "pytest-mpgrade"
author = "the authors of pytest-mpgrade"
version = release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx_argparse_cli",
    "sphinx_copybutton",
    "example_class",
]
exclude_patterns = ["_build", "_ext", "example-class"]
html_theme = "furo"
html_title = "pytest-mpgrade"
html_show_copyright = False
html_use_index = html_domain_indices = False  # the search finds what they list
html_static_path = ["_static"]
html_css_files = ["narrow.css"]

myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 4
suppress_warnings = ["myst.header"]  # docs/checks.md is a list: its headings may skip a level

nitpicky = True
# Types of the standard library are described elsewhere, and no page of theirs can be asked offline.
nitpick_ignore_regex = [("py:.*", ".*")]
default_role = "code"  # single backticks in docstrings
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True

# A copied console block has the commands alone.
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True
copybutton_exclude = ".linenos, .gp, .go"
