"""Ask an interpreter what it has installed, and map pip's names of packages to those of imports.

The interpreter is asked without the grader's environment variables and home folder, because student
code runs without them.
"""

from __future__ import annotations

import functools
import json
import os
import platform
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_SECONDS = 120.0
"""How many seconds an interpreter may take to answer.

To import scikit-learn takes some seconds on a slow disk.
"""

_IMPORTED_AS = {
    "attrs": ("attr", "attrs"),
    "beautifulsoup4": ("bs4",),
    "biopython": ("Bio",),
    "ipython": ("IPython",),
    "mysqlclient": ("MySQLdb",),
    "opencv-contrib-python": ("cv2",),
    "opencv-python": ("cv2",),
    "opencv-python-headless": ("cv2",),
    "pillow": ("PIL",),
    "protobuf": ("google",),
    "pycryptodome": ("Crypto",),
    "pyserial": ("serial",),
    "python-dateutil": ("dateutil",),
    "python-dotenv": ("dotenv",),
    "python-igraph": ("igraph",),
    "python-louvain": ("community",),
    "pyyaml": ("yaml",),
    "pyzmq": ("zmq",),
    "scikit-image": ("skimage",),
    "scikit-learn": ("sklearn",),
    "setuptools": ("setuptools", "pkg_resources"),
    "umap-learn": ("umap",),
}
"""Packages whose import name is not pip's name.

If a package is installed, it states its import names itself.
"""

_OFTEN_USED = frozenset(
    """altair boto3 cloudpickle cupy cython dask dill distributed django fastapi flask fsspec
    geopandas gym h5py httpx ipywidgets jax joblib jupyter keras lightgbm line_profiler loguru
    loky lxml memory_profiler modin mpi4py mpire numba numexpr openpyxl pathos patsy plotly polars
    psutil pyarrow pydantic pymc pyspark pytest ray requests rich scipy seaborn sqlalchemy
    statsmodels streamlit sympy tabulate tensorflow toolz torch torchvision tornado transformers
    trio uvloop xarray xgboost
    """.split()  # noqa: SIM905 - words in a row are easier to keep than quoted ones
)
"""Packages that courses often use, by their import names."""


def is_known(module: str) -> bool:
    """Tell whether an import name is that of a package on our lists, which are not complete."""
    return module in _OFTEN_USED or any(module in names for names in _IMPORTED_AS.values())


_ASK = r"""
import importlib, importlib.metadata, importlib.util, json, sys
asked = json.loads(sys.argv[1])
def found(name):
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return name in sys.modules
def version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
def failure(name, attributes):
    try:
        module = importlib.import_module(name)
        for attribute in attributes:
            if attribute != "*" and not hasattr(module, attribute):
                importlib.import_module(name + "." + attribute)
    except BaseException as error:
        return type(error).__name__ + ": " + " ".join(str(error).split())[:300]
    return ""
told = {
    "python": sys.version.split()[0],
    "modules": [name for name in asked["modules"] if found(name)],
    "versions": {name: version(name) for name in asked["packages"]},
    "failures": [failure(*one) for one in asked["imports"]],
}
if asked["owners"]:
    told["distributions"] = importlib.metadata.packages_distributions()
sys.stdout.write("\n" + json.dumps(told))
"""


@dataclass(frozen=True, kw_only=True)
class Installed:
    """The answer of an interpreter."""

    python: str  # its version
    modules: frozenset[str]  # those asked for that it can find
    versions: dict[str, str]  # by pip's name; "" if it is not installed
    failures: tuple[str, ...]  # for each import asked for: why it fails, or ""
    # pip's names for each top-level module; empty unless owners are asked for
    distributions: dict[str, list[str]]


def ask_interpreter(
    python: str,
    *,
    modules: Iterable[str] = (),
    packages: Iterable[str] = (),
    imports: Iterable[tuple[str, tuple[str, ...]]] = (),
    owners: bool = False,
) -> Installed:
    """Ask an interpreter ("": our own) what it has of *modules*, *packages* and *imports*.

    *imports* are modules with the names that are imported from them. They are imported with our
    rights. So a submission alone must not choose them: they have to be parts of packages that the
    assignment allows. No module of a submission can shadow them. With *owners*, the answer also
    says which module belongs to which package. An interpreter that gives no answer counts as having
    everything, so that neither the submission nor the grader is accused.
    """
    wanted: dict[str, object] = {
        "modules": sorted(set(modules)),
        "packages": sorted(set(packages)),
        "imports": list(imports),
    }
    wanted["owners"] = owners
    return _asked(python or sys.executable, json.dumps(wanted))


@functools.lru_cache(maxsize=256)
def _asked(python: str, wanted: str) -> Installed:
    asked = json.loads(wanted)
    with tempfile.TemporaryDirectory(prefix="mpgrade-") as folder:
        try:
            done = subprocess.run(
                [python, "-I", "-B", "-c", _ASK, wanted],
                cwd=folder,
                env=_environment(folder),
                timeout=_SECONDS,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=True,
            )
            answer = json.loads(done.stdout.rpartition(b"\n")[2])
        except (OSError, subprocess.SubprocessError, ValueError):
            answer = {"python": platform.python_version(), "modules": asked["modules"]}
    return Installed(
        python=answer["python"],
        modules=frozenset(answer["modules"]),
        versions=answer.get("versions", dict.fromkeys(asked["packages"], "?")),
        failures=tuple(answer.get("failures", [""] * len(asked["imports"]))),
        distributions=answer.get("distributions", {}),
    )


def _environment(home: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "SYSTEMROOT") if name in os.environ}
    return kept | dict.fromkeys(("HOME", "TMPDIR", "TEMP"), home)


def normal(package: str) -> str:
    """Return a package's name as indexes compare it (PyPA, "Names and normalization")."""
    return re.sub(r"[-_.]+", "-", package).lower()


def imported_as(package: str) -> tuple[str, ...]:
    """Return the import names of a package, which authors may write instead of pip's name."""
    known = _IMPORTED_AS.get(normal(package), (normal(package).replace("-", "_"),))
    return (*known, package) if package.isidentifier() else known


def installed_as(package: str) -> str:
    """Return pip's name of a package for which an author may have written the import name.

    For example, `sklearn` is scikit-learn.
    """
    by_import = {
        module: name
        for name, modules in sorted(_IMPORTED_AS.items(), reverse=True)
        for module in modules
    }
    return package if normal(package) in _IMPORTED_AS else by_import.get(package, package)


def providing(module: str, packages: Sequence[str], installed: Installed | None = None) -> str:
    """Return the one of these packages to which a top-level module belongs, or ""."""
    owners = {
        normal(name) for name in (installed.distributions.get(module, ()) if installed else ())
    }
    belonging = (
        name
        for name in packages
        if module in imported_as(name) or normal(installed_as(name)) in owners
    )
    return next(belonging, "")


def install_command(python: str, packages: Iterable[str]) -> str:
    """Return the command that installs packages into an interpreter."""
    words = [
        python or sys.executable,
        "-m",
        "pip",
        "install",
        *dict.fromkeys(map(installed_as, packages)),
    ]
    return shlex.join(words)


def package_faults(listed: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield the index of each wrong name in a course's list, and why it is wrong.

    A name is wrong if pip cannot install it, or if it is there twice.
    """
    known: list[str] = []
    for index, name in enumerate(listed):
        if not re.fullmatch(r"[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?", name, re.ASCII):
            yield (
                index,
                (
                    "expected the name that pip installs, without a version, such as 'numpy', got"
                    f" {name!r}"
                ),
            )
        elif name in sys.stdlib_module_names:
            yield (
                index,
                f"{name!r} is part of Python itself: only what is installed besides is listed",
            )
        elif (same := normal(installed_as(name))) in known:
            yield index, f"{same!r} is there twice"
        else:
            known.append(same)
