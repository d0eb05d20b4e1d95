"""The values of a notebook's variables, as plain typed data in JSON.

The supervisor asks for them through the kernel after the last cell.
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
"""Characters of one variable's JSON. A larger variable must not keep the others from being read."""
MANY = 100_000
"""Items of a container. Encoding a larger one would take long, so it is not tried."""
FIRST = 1000
"""Items of a list that is too large. These stand for all of its items."""
ANSWERS = ""
"""The folder for answers; a kernel sets it from its request."""


def tell_values(variables: Mapping[str, object], names: Sequence[str]) -> None:
    """Write the named variables of a notebook to the answers; leave out those that do not exist."""
    for package in bootstrap.packages():
        bootstrap.forget_ended(package)
    gc.collect()
    values = {name: _shown(variables[name]) for name in names if name in variables}
    with open(os.path.join(ANSWERS, "values.json"), "w", encoding="utf-8") as file:
        json.dump({"value": values}, file)


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
    """Return the start of a list; of any other value the name of its type."""
    if (type(value) is list or type(value) is tuple) and len(value) > FIRST:
        return _shown(value[:FIRST])
    return ["object", f"a {type(value).__name__} too large to read"]
