"""Find which other Python has a module or name of the standard library that this one lacks.

The tables are short on purpose. Tests compare them with typeshed. Nothing is said about names that
are in none of them.
"""

from __future__ import annotations

import ast
import warnings

Version = tuple[int, int]
MOST = 100_000
"""The most characters of a source that is parsed: a larger one could crash Python 3.10's parser."""

MODULES: dict[str, Version] = {
    "annotationlib": (3, 14),
    "compression": (3, 14),
    "concurrent.interpreters": (3, 14),
    "profiling": (3, 15),
    "string.templatelib": (3, 14),
    "tomllib": (3, 11),
}
"""Modules that were added after 3.10, the oldest Python that grades."""

NAMES: dict[str, dict[str, Version]] = {
    "asyncio": {
        "Barrier": (3, 11),
        "QueueShutDown": (3, 13),
        "Runner": (3, 11),
        "TaskGroup": (3, 11),
        "timeout": (3, 11),
        "timeout_at": (3, 11),
    },
    "collections.abc": {"Buffer": (3, 12)},
    "concurrent.futures": {"InterpreterPoolExecutor": (3, 14)},
    "contextlib": {"chdir": (3, 11)},
    "copy": {"replace": (3, 13)},
    "datetime": {"UTC": (3, 11)},
    "enum": {"StrEnum": (3, 11), "member": (3, 11), "nonmember": (3, 11), "verify": (3, 11)},
    "functools": {"Placeholder": (3, 14)},
    "hashlib": {"file_digest": (3, 11)},
    "itertools": {"batched": (3, 12)},
    "math": {"cbrt": (3, 11), "exp2": (3, 11), "fma": (3, 13), "sumprod": (3, 12)},
    "operator": {"call": (3, 11), "is_none": (3, 14), "is_not_none": (3, 14)},
    "os": {"process_cpu_count": (3, 13)},
    "queue": {"ShutDown": (3, 13)},
    "random": {"binomialvariate": (3, 12)},
    "statistics": {"kde": (3, 13), "kde_random": (3, 13)},
    "sys": {"activate_stack_trampoline": (3, 12), "exception": (3, 11), "monitoring": (3, 12)},
    "threading": {"setprofile_all_threads": (3, 12), "settrace_all_threads": (3, 12)},
    "types": {"CapsuleType": (3, 13), "get_original_bases": (3, 12)},
    "typing": {
        "LiteralString": (3, 11),
        "Never": (3, 11),
        "NotRequired": (3, 11),
        "ReadOnly": (3, 13),
        "Required": (3, 11),
        "Self": (3, 11),
        "TypeAliasType": (3, 12),
        "TypeIs": (3, 13),
        "TypeVarTuple": (3, 11),
        "Unpack": (3, 11),
        "assert_never": (3, 11),
        "assert_type": (3, 11),
        "dataclass_transform": (3, 11),
        "get_overloads": (3, 11),
        "override": (3, 12),
        "reveal_type": (3, 11),
    },
    "warnings": {"deprecated": (3, 13)},
}
"""Names that were added later than their module, and that programs about processes may use."""

REMOVED: dict[str, Version] = {
    **dict.fromkeys(("asynchat", "asyncore", "distutils", "imp", "smtpd"), (3, 12)),
    **dict.fromkeys(
        (
            "aifc",
            "audioop",
            "cgi",
            "cgitb",
            "chunk",
            "crypt",
            "imghdr",
            "lib2to3",
            "mailcap",
            "msilib",
            "nis",
            "nntplib",
            "ossaudiodev",
            "pipes",
            "sndhdr",
            "spwd",
            "sunau",
            "telnetlib",
            "uu",
            "xdrlib",
        ),
        (3, 13),
    ),
    **dict.fromkeys(("sre_compile", "sre_constants", "sre_parse"), (3, 15)),
}
"""Modules that were removed from the standard library, and the version that removed them."""


def version_text(version: Version) -> str:
    """Return a version as people write it."""
    return ".".join(map(str, version[:2]))


def of_module(module: str, names: tuple[str, ...], running: Version) -> str:
    """Return a sentence on which other Python has a module, or a name in it; "" where unknown."""
    for name, version in REMOVED.items():
        if module.partition(".")[0] == name and running >= version:
            left = f"{name} left the standard library with Python {version_text(version)}"
            return f"{left}, and the grader runs Python {version_text(running)}"
    for name, version in MODULES.items():
        parent, _, last = name.rpartition(".")
        if running < version and (
            f"{module}.".startswith(f"{name}.") or (module == parent and last in names)
        ):
            return (
                f"{name} came with Python {version_text(version)}, and the grader runs Python"
                f" {version_text(running)}"
            )
    known = NAMES.get(module, {})
    for name in names:
        if running < known.get(name, (0, 0)):
            came = f"{module}.{name} came with Python {version_text(known[name])}"
            return f"{came}, and the grader runs Python {version_text(running)}"
    return ""


def of_attribute(source: str, line: int, running: Version) -> str:
    """Return what `of_module` says about an attribute of a module that is used on a line."""
    if len(source) > MOST:
        return ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    modules: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            modules |= {each.asname or each.name: each.name for each in node.names}
    used = (node for node in nodes if isinstance(node, ast.Attribute) and _is_on(node, line))
    told = (of_module(modules.get(_dotted(node.value), ""), (node.attr,), running) for node in used)
    return next(filter(None, told), "")


def _dotted(node: ast.expr) -> str:
    """Return a name, or two with a dot."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _is_on(node: ast.expr, line: int) -> bool:
    return node.lineno <= line <= (node.end_lineno or node.lineno)
