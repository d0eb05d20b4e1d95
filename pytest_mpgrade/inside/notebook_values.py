"""What a notebook's variables hold, as plain typed data in JSON: asked for through its kernel after
the last cell.
"""

from __future__ import annotations

import gc
import json
import os

from pytest_mpgrade.inside import bootstrap, plain_data

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST = 8_000_000
"""Characters of one variable: one that is larger must not keep the others from being read."""
MANY = 100_000
"""Items that are not even tried: that would take long."""
FIRST = 1000
"""Items of a list that is too large: these stand for all."""
ANSWERS = ""
"""The folder for answers, where the kernel was told of one."""


def tell_values(variables: Mapping[str, object], names: Sequence[str]) -> None:
    """Write the named ones of a notebook's variables to the answers; those that there are not are
    left out.
    """
    for package in bootstrap.packages():
        bootstrap.forget_ended(package)
    gc.collect()
    found = {name: _shown(variables[name]) for name in names if name in variables}
    with open(os.path.join(ANSWERS, "values.json"), "w", encoding="utf-8") as file:
        json.dump({"value": found}, file)


def _shown(value: object) -> object:
    if isinstance(value, (list, tuple, dict, set, frozenset)) and len(value) > MANY:
        return _cut(value)
    try:
        encoded = plain_data.encode(value)
        if len(json.dumps(encoded)) <= MOST:
            return encoded
        return _cut(value)
    except Exception as broken:
        return ["object", f"unreadable: {type(broken).__name__}"]


def _cut(value: object) -> object:
    """Return the start of a list; of anything else its name."""
    if (type(value) is list or type(value) is tuple) and len(value) > FIRST:
        return _shown(value[:FIRST])
    return ["object", f"a {type(value).__name__} too large to read"]
