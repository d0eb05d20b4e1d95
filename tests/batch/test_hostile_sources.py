"""What a student could put into a submission to reach, or to stop, whoever grades it, in every
layout that there is.
"""

from __future__ import annotations

import codecs
import csv
import functools
import gzip
import io
import os
import socket
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_mpgrade.batch import archives, class_files, source
from pytest_mpgrade.batch.cluster import bundle
from pytest_mpgrade.batch.job import Job
from pytest_mpgrade.errors import UngradableError, UsageError
from pytest_mpgrade.submission import handed_in

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links, pipes and modes are those of POSIX")

codecs.lookup("cp437")  # of names in a zip: who can read nothing any more cannot import it either

MODULE = b"def double(x):\n    return 2 * x\n"
BEFORE = "the teacher's own\n"


# --- layouts: where eve's things go, with a harmless student beside


def _plain(root: Path) -> tuple[Path, Path]:
    return root / "ada", root / "eve"


def _moodle(root: Path) -> tuple[Path, Path]:
    return root / "Ada_1_assignsubmission_file", root / "Eve_2_assignsubmission_file"


def _gradescope(root: Path) -> tuple[Path, Path]:
    pytest.importorskip("yaml")
    text = "".join(f"submission_{n}:\n  :submitters:\n  - :sid: '{n}'\n" for n in (1, 2))
    (root / "submission_metadata.yml").write_text(text)
    return root / "submission_1", root / "submission_2"


def _nbgrader(root: Path) -> tuple[Path, Path]:
    for name in ("ada", "eve"):
        (root / "submitted" / name / "hw").mkdir(parents=True)
        (root / "submitted" / name / "hw" / "timestamp.txt").write_text("2026-03-02 09:00:00 UTC")
    return root / "submitted" / "ada" / "hw", root / "submitted" / "eve" / "hw"


def _classroom(root: Path) -> tuple[Path, Path]:
    for name in ("hw-ada", "hw-eve"):
        (root / name / ".git").mkdir(parents=True)
    return root / "hw-ada", root / "hw-eve"


LAYOUTS: Mapping[str, Callable[[Path], tuple[Path, Path]]] = {
    "plain": _plain,
    "moodle": _moodle,
    "gradescope": _gradescope,
    "nbgrader": _nbgrader,
    "classroom": _classroom,
}


def both(root: Path, layout: str) -> tuple[Path, Path]:
    """Lay out a class of two: ada, who hands in the module, and eve, whose folder is empty."""
    ada, eve = LAYOUTS[layout](root)
    for folder in (ada, eve):
        folder.mkdir(exist_ok=True)
    (ada / "cv_funcs.py").write_bytes(MODULE)
    return ada, eve


FLAT: Mapping[str, str] = {
    "canvas": "{student}_{number}_{number}_{name}",
    "blackboard": "HW_{student}_attempt_2026-03-02-09-00-0{number}_{name}",
    "moodle": "{student}_{number}_assignsubmission_file_{name}",
    "plain": "{student}{name}",
}

# --- what eve hands in, as a folder


def _zip(path: Path, members: Mapping[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as whole:
        for name, data in members.items():
            whole.writestr(name, data)


def _link_and_archive(eve: Path, outside: Path) -> None:
    (eve / "out").symlink_to(outside)
    _zip(eve / "a.zip", {"out/secret.txt": b"eve", "out/bashrc": b"eve", "cv_funcs.py": MODULE})


def _link_to_a_file(eve: Path, outside: Path) -> None:
    (eve / "cv_funcs.py").symlink_to(outside / "secret.txt")
    _zip(eve / "a.zip", {"cv_funcs.py": b"eve"})


def _link_is_an_archive(eve: Path, outside: Path) -> None:
    _zip(outside / "theirs.zip", {"cv_funcs.py": MODULE})
    (eve / "a.zip").symlink_to(outside / "theirs.zip")
    _zip(eve / "b.zip", {"x.py": b""})


def _link_in_the_archive(eve: Path, outside: Path) -> None:
    with tarfile.open(eve / "a.tar.gz", "w:gz") as tape:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
            link = tarfile.TarInfo("out")
            link.type, link.linkname = kind, str(outside)
            tape.addfile(link)
        member = tarfile.TarInfo("out/secret.txt")
        member.size = 3
        tape.addfile(member, io.BytesIO(b"eve"))


def _hard_link(eve: Path, outside: Path) -> None:
    os.link(outside / "secret.txt", eve / "notes.txt")
    _zip(eve / "a.zip", {"notes.txt": b"eve"})


def _loop(eve: Path, _: Path) -> None:
    (eve / "loop").symlink_to("loop")
    (eve / "again").symlink_to(".")
    _zip(eve / "a.zip", {"loop": b"eve", "again/x": b"eve"})


def _special(eve: Path, _: Path) -> None:
    os.mkfifo(eve / "cv_funcs.py")
    os.mkfifo(eve / "a.zip")
    with socket.socket(socket.AF_UNIX) as server:
        place = os.getcwd()
        os.chdir(eve)  # the path of a socket is short
        try:
            server.bind("b.zip")
        finally:
            os.chdir(place)
    _zip(eve / "c.zip", {"cv_funcs.py": b"eve"})


def _ways_out(eve: Path, _: Path) -> None:
    names = [
        "../up",
        "/tmp/absolute",
        "a/../../up",
        "C:\\x",
        "C:x",
        "\\\\host\\x",
        "..\\up",
        "./../up",
        "x" * 300,
    ]
    _zip(eve / "a.zip", dict.fromkeys([*names, "/".join("d" * 200)], b"eve"))
    with tarfile.open(eve / "b.tar", "w", format=tarfile.PAX_FORMAT) as tape:
        for name in [*names, "nul\0byte"]:
            member = tarfile.TarInfo(name)
            member.pax_headers = {"path": name}
            tape.addfile(member)


def _names(eve: Path, _: Path) -> None:
    names = [
        "a\nb.py",
        "\x1b[2J.py",
        "\udcff.py",
        "x" * 252 + ".py",
        "Data.py",
        "data.py",
        "nul.py",
        "=1+1.py",
        " .py",
    ]
    for name in names:
        (eve / name).write_bytes(MODULE)
    _zip(eve / "a.zip", {name.replace("\udcff", "y"): b"" for name in names})


def _bomb(eve: Path, _: Path) -> None:
    (eve / "a.zip").write_bytes(_zeros())


@functools.cache
def _zeros() -> bytes:
    """Return an archive of 600 MB of zeros; made once, as it takes seconds."""
    data = io.BytesIO()
    with (
        zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as whole,
        whole.open("zeros", "w") as file,
    ):
        for _number in range(600):
            file.write(bytes(1_000_000))
    return data.getvalue()


MOST_FILES = 3_000
"""What a student may hand in here; `tarfile` takes seconds for the 100,000 that it usually is."""


@pytest.fixture
def few_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let students hand in as few files as MOST_FILES."""
    monkeypatch.setattr(archives, "STUDENT", replace(archives.STUDENT, files=MOST_FILES))


def _very_many(eve: Path, _: Path) -> None:
    # Each member without data needs 47 bytes of the list: a million of them would be 47 MB, and a
    # gigabyte of objects.
    entry = b"PK\1\2" + bytes(24) + (1).to_bytes(2, "little") + bytes(16) + b"x"
    data = entry * 1_000_000
    end = b"PK\5\6" + bytes(4) + b"\xff\xff" * 2 + len(data).to_bytes(4, "little") + bytes(6)
    (eve / "a.zip").write_bytes(data + end)
    (eve / "b.tar.gz").write_bytes(_many_folders())


@functools.cache
def _many_folders() -> bytes:
    """Return an archive of more folders than a student may hand in; made once."""
    header = tarfile.TarInfo("d")
    header.type = tarfile.DIRTYPE
    return gzip.compress(header.tobuf() * (MOST_FILES + 10) + bytes(1024), 1)


def _long_header(eve: Path, _: Path) -> None:
    name = tarfile.TarInfo("././@LongLink")
    name.type, name.size = tarfile.GNUTYPE_LONGNAME, 1_000_000_000
    with tarfile.open(eve / "a.tar.gz", "w:gz", compresslevel=1) as tape:
        tape.fileobj.write(name.tobuf() + bytes(20_000_000))


def _nested(eve: Path, _: Path) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as inner:
        inner.writestr("cv_funcs.py", MODULE)
    _zip(eve / "a.zip", {"deeper/b.zip": data.getvalue()})


def _file_and_folder(eve: Path, _: Path) -> None:
    (eve / "src").write_bytes(b"")
    _zip(eve / "a.zip", {"src/cv_funcs.py": MODULE, "x": b"", "x/y": b""})


def _deep(eve: Path, _: Path) -> None:
    place = eve
    for _number in range(150):
        place = place / "d"
        place.mkdir()
    _zip(eve / "a.zip", {"cv_funcs.py": MODULE})


def _closed(eve: Path, _: Path) -> None:
    (eve / "shut").mkdir()
    (eve / "shut" / "a.zip").write_bytes(b"")
    (eve / "cv_funcs.py").write_bytes(MODULE)
    _zip(eve / "a.zip", {"x.py": b""})
    _zip(eve / "b.zip", {"y.py": b""})
    for name in ("shut", "cv_funcs.py", "b.zip"):
        (eve / name).chmod(0)


def _all_closed(eve: Path, _: Path) -> None:
    (eve / "cv_funcs.py").write_bytes(MODULE)
    eve.chmod(0)


FOLDERS = [
    _link_and_archive,
    _link_to_a_file,
    _link_is_an_archive,
    _link_in_the_archive,
    _hard_link,
    _loop,
    _special,
    _ways_out,
    _names,
    _bomb,
    _very_many,
    _long_header,
    _nested,
    _file_and_folder,
    _deep,
    _closed,
    _all_closed,
]


@contextmanager
def as_nobody(*folders: Path) -> Iterator[None]:
    """Root may read everything: be somebody else for a while, to whom these folders belong."""
    if os.geteuid() != 0:
        yield
        return
    for folder in folders:
        for place, _, names in os.walk(folder):
            for name in (".", *names):
                os.chown(os.path.join(place, name), 65534, -1, follow_symlinks=False)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def place() -> Iterator[Path]:
    """Give a folder that another user can get to."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)
        for name in ("class", "outside", "out"):
            (Path(folder).resolve() / name).mkdir()
        yield Path(folder).resolve()


def _state(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("hostile", FOLDERS, ids=lambda each: each.__name__.strip("_"))
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.usefixtures("few_files")
def test_folders(place: Path, layout: str, hostile: Callable[[Path, Path], None]) -> None:
    """Nothing is written elsewhere, nothing blocks, and whoever else handed in is graded."""
    root, outside, out = place / "class", place / "outside", place / "out"
    ada, eve = both(root, layout)
    (outside / "secret.txt").write_text(BEFORE)
    hostile(eve, outside)
    before = _state(outside)
    beside = sorted(each.name for each in place.iterdir())
    with as_nobody(root, out):
        found = source.load_source(root, out)
        sizes = [class_files._bytes(job.path) for job in found.jobs]
        parcels = dict(_packed(found.jobs))
    assert found.layout == layout
    assert _state(outside) == before
    assert sorted(each.name for each in place.iterdir()) == beside
    assert len(found.jobs) == len(sizes) == 2
    assert any(
        (job.path / "cv_funcs.py").read_bytes() == MODULE for job in found.jobs if job.path == ada
    )
    unpacked = [*out.rglob("*")]
    assert not [
        path for path in unpacked if path.is_symlink() or not (path.is_dir() or path.is_file())
    ]
    assert not [path for path in unpacked if path.is_file() and path.stat().st_nlink > 1]
    # that one is a file of hers
    assert BEFORE.encode() not in b"".join(parcels.values()) or hostile is _hard_link
    with (out / "mapping.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert all(cell.isprintable() for row in rows for cell in row for cell in cell.splitlines())


def _packed(jobs: tuple[Job, ...]) -> Iterator[tuple[str, bytes]]:
    """Yield what would travel to a cluster."""
    for job in jobs:
        try:
            data = bundle.pack({"submission": job.path})
        except UngradableError:
            continue
        with tarfile.open(fileobj=io.BytesIO(data)) as tape:
            yield job.id, b"".join(tape.extractfile(member).read() for member in tape)  # type: ignore[union-attr]  # - all members are files


@pytest.mark.parametrize("hostile", [f for f in FOLDERS if f not in (_closed, _all_closed, _deep)])
@pytest.mark.parametrize("layout", FLAT)
@pytest.mark.usefixtures("few_files")
def test_flat_layouts(place: Path, layout: str, hostile: Callable[[Path, Path], None]) -> None:
    """The same files, handed in one by one, where a course system puts all students' files into one
    folder.
    """
    root, outside, out = place / "class", place / "outside", place / "out"
    eve = place / "eve"
    eve.mkdir()
    (outside / "secret.txt").write_text(BEFORE)
    hostile(eve, outside)
    before = _state(outside)
    for path in sorted(eve.iterdir()):
        if len(path.name) < 100:
            path.rename(root / FLAT[layout].format(student="eve", number=2, name=path.name))
    (root / FLAT[layout].format(student="ada", number=1, name="cv_funcs.py")).write_bytes(MODULE)
    with as_nobody(root, out):
        found = source.load_source(root, out, layout=layout)
    assert _state(outside) == before
    assert {job.id for job in found.jobs} >= ({"adacv_funcs"} if layout == "plain" else set())
    assert any(
        path.read_bytes() == MODULE
        for job in found.jobs
        if "ada" in job.id
        for path in ([job.path] if job.path.is_file() else job.path.iterdir())
    )
    assert not [
        path
        for path in out.rglob("*")
        if path.is_symlink() or not (path.is_dir() or path.is_file())
    ]


# --- the kinds by themselves


def test_a_link_beside_an_archive_leads_nowhere(place: Path) -> None:
    """The archive's folder is a new one, whatever lies beside it, and what was left out is said."""
    root, outside, out = place / "class", place / "outside", place / "out"
    _, eve = _nbgrader(root)
    _link_and_archive(eve, outside)
    found = source.load_source(root, out)
    assert list(outside.iterdir()) == []
    (job,) = [job for job in found.jobs if job.id == "eve"]
    assert (job.path / "out" / "bashrc").read_bytes() == b"eve"
    assert not (job.path / "out").is_symlink()
    (line,) = [line for line in found.mapping if line.submission == "eve"]
    assert "out is a link that leads out of the submission" in line.note


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "plain"])
def test_a_whole_folder_that_is_a_link(place: Path, layout: str) -> None:
    """Where a student's folder itself leads out of the download, nothing of where it leads to is
    graded.
    """
    root, outside, out = place / "class", place / "outside", place / "out"
    _, eve = both(root, layout)
    (outside / "cv_funcs.py").write_bytes(MODULE)
    for beside in ("timestamp.txt", ".git"):
        if (eve / beside).exists():
            (eve / beside).rename(outside / beside)
    eve.rmdir()
    eve.symlink_to(outside)
    found = source.load_source(root, out, layout=layout)
    for job in found.jobs:
        assert not job.path.resolve().is_relative_to(outside)
        assert not job.path.is_relative_to(out) or list(job.path.iterdir()) == []
    assert [line.what for line in found.left_out() if line.submission] == [handed_in.LEADS_OUT]


def test_a_file_that_claims_to_be_huge(place: Path) -> None:
    """A file with a hole in it is not copied, and whatever lies beside it is."""
    eve = place / "class"
    (eve / "cv_funcs.py").write_bytes(MODULE)
    with open(eve / "data.bin", "wb") as file:
        file.truncate(60_000_000_000)
    assert handed_in.copy(eve, place / "out") == ["data.bin (there are more than 500 MB)"]
    assert [path.name for path in (place / "out").iterdir()] == ["cv_funcs.py"]


def test_a_bomb_leaves_nothing(place: Path) -> None:
    """An archive that holds more than it may is not unpacked in part, and the disk is free
    again.
    """
    eve = place / "class"
    _bomb(eve, eve)
    found = archives.unpack_theirs(eve / "a.zip", place / "out" / "eve")
    assert found == archives.Unpacked(broken="holds more than 500 MB")
    assert [path for path in (place / "out").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("name", ["a.zip", "b.tar.gz"])
@pytest.mark.usefixtures("few_files")
def test_more_entries_than_one_may_hand_in(place: Path, name: str) -> None:
    """An archive of too many entries is left where it is, and it is said why."""
    eve = place / "class"
    _very_many(eve, eve)
    found = archives.unpack_theirs(eve / name, place / "out" / "eve")
    assert found.broken
    assert found.left_out == ()
    assert [*(place / "out").rglob("*/*")] == []


def test_our_own_full_disk_is_nobody_elses_fault(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where our disk is full, the batch ends and says so; no student is told of a broken
    archive.
    """
    _zip(place / "class" / "a.zip", {"cv_funcs.py": MODULE})

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(handed_in, "created", full)
    with pytest.raises(UsageError, match="No space left on device"):
        archives.unpack_theirs(place / "class" / "a.zip", place / "out" / "eve")
    with pytest.raises(OSError, match="No space left on device"):
        handed_in.copy(place / "class", place / "out" / "eve")


def test_a_file_that_changes_while_it_is_read(place: Path) -> None:
    """A pipe in the file's place does not block; a file that grows is read up to the limit."""
    path = place / "class" / "cv_funcs.py"
    path.write_bytes(MODULE)
    (seen,) = handed_in.files(path.parent)
    path.write_bytes(MODULE * 1000)
    assert len(handed_in.content(seen.path, 100)) == 100
    path.unlink()
    assert handed_in.copy_file(seen.path, place / "out", "x") == "No such file or directory"
    os.mkfifo(path)
    assert handed_in.copy_file(seen.path, place / "out", "x") == "is no file that can be read"
    with pytest.raises(OSError, match="no file that can be read"):
        handed_in.content(seen.path, 100)


def test_a_link_that_comes_while_we_write(place: Path) -> None:
    """A folder that somebody replaces by a link while files are written below it is not
    followed.
    """
    into, outside = place / "out", place / "outside"
    handed_in.created(into, "a/b/x").close()
    (into / "a" / "b" / "x").unlink()
    (into / "a" / "b").rmdir()
    (into / "a" / "b").symlink_to(outside)
    with pytest.raises(NotADirectoryError):
        handed_in.created(into, "a/b/y")
    (into / "c").symlink_to(outside / "new")
    handed_in.created(into, "c").close()
    assert list(outside.iterdir()) == []
    for name in ("", "..", "a/../x", "/x", "a//b"):
        with pytest.raises(OSError, match="is no name of a file"):
            handed_in.created(into, name)


def test_a_students_own_link_in_a_shared_folder(place: Path) -> None:
    """Where students write into the class folder themselves, a link of theirs hands in nothing;
    ours is followed.
    """
    if os.geteuid() != 0:
        pytest.skip("needs two users")
    root, outside = place / "class", place / "outside"
    (outside / "cv_funcs.py").write_bytes(MODULE)
    (root / "ada.py").write_bytes(MODULE)
    for name in ("ours", "eve"):
        (root / name).symlink_to(outside)
    os.chown(root / "eve", 65534, -1, follow_symlinks=False)
    found = source.load_source(root, place / "out")
    assert [job.id for job in found.jobs] == ["ada", "ours"]
    assert [(line.source, line.what) for line in found.left_out()] == [("eve", handed_in.LEADS_OUT)]


def test_somebody_elses_metadata_says_nothing(place: Path) -> None:
    """A file of Gradescope's name in one student's folder does not decide how the class is read."""
    root = place / "class"
    for name in ("ada", "eve"):
        (root / name).mkdir()
        (root / name / "cv_funcs.py").write_bytes(MODULE)
    (root / "eve" / "submission_metadata.yml").write_text("{broken: [yaml")
    assert source.load_source(root, place / "out").layout == "plain"
