"""What a child process reports of itself and of the module that it has imported.

Part of the records. All of it comes from beside student code: a fault that is reported here counts,
a merit does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

ParameterKind = Literal[
    "POSITIONAL_ONLY", "POSITIONAL_OR_KEYWORD", "VAR_POSITIONAL", "KEYWORD_ONLY", "VAR_KEYWORD"
]
"""As `inspect` calls them."""

Plain = Any
"""Plain typed data in JSON, as `pytest_mpgrade.inside.plain_data.encode` makes it.

Readers check that it has this form.
"""


class Parameter(NamedTuple):
    """One parameter of a function."""

    name: str
    kind: ParameterKind
    has_default: bool


@dataclass(frozen=True, kw_only=True)
class ChildFacts:
    """What a child reports besides the value that the call returned."""

    set_start_method: tuple[str, ...] = ()  # that the submission asked for
    side_effects: tuple[str, ...] = ()  # of the import, in words
    start_method_now: str | None = None
    # None: not there, no function
    functions: Mapping[str, Sequence[Parameter] | None] = field(default_factory=dict)
    queues: tuple[Plain, ...] = ()  # what is left on the queues that a call was given
    missing: str = ""  # the module that an import did not find
