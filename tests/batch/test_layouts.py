"""What course systems give to download, with awkward names: read by their rules, and nothing
dropped silently.
"""

from __future__ import annotations

import csv
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from pytest_mpgrade.batch import archives, mapping, roster, source
from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.records import Status

MODULE = b"def double(x):\n    return 2 * x\n"
LONG = "x" * 180 + ".py"


def pack(path: Path, members: dict[str, bytes]) -> Path:
    """Write a zip."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as whole:
        for name, data in members.items():
            whole.writestr(name, data)
    return path


def zipped(members: dict[str, bytes]) -> bytes:
    """Return a zip as bytes."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as whole:
        for name, content in members.items():
            whole.writestr(name, content)
    return data.getvalue()


def files(found: source.BatchSource) -> dict[str, dict[str, bytes]]:
    """Return what is graded of each submission."""
    return {
        job.id: (
            {
                p.relative_to(job.path).as_posix(): p.read_bytes()
                for p in job.path.rglob("*")
                if p.is_file()
            }
            if job.path.is_dir()
            else {job.path.name: job.path.read_bytes()}
        )
        for job in found.jobs
    }


def left_out(found: source.BatchSource) -> dict[str, str]:
    """Return what became of what is not graded."""
    return {each.source or each.submission: each.what for each in found.left_out()}


def test_canvas(tmp_path: Path) -> None:
    """Names, late marks, resubmissions, anonymous and text entries; one file of each name is
    graded, the newest.
    """
    members = {
        "doejane_101_5001_cv_funcs.py": b"old",
        "doejane_101_5002_cv_funcs-1.py": b"new",
        "doejane_101_5003_notes, final.txt": b"n",
        "müllerjörg_LATE_102_5004_cv_funcs.py": MODULE,
        "o_neilpat_103_text.html": b"<p>here</p>",
        f"longname_104_5005_{LONG}": MODULE,
        "zipper_105_5006_all.zip": zipped({"src/cv_funcs.py": MODULE, "../evil.py": b"!"}),
        "linker_106_link.html": b"<a>",
        "readme.txt": b"from the teacher",
    }
    found = source.load_source(pack(tmp_path / "hw_submissions.zip", members), tmp_path / "out")
    assert found.layout == "canvas"
    assert files(found) == {
        "doejane_101": {"cv_funcs.py": b"new", "notes, final.txt": b"n"},
        "müllerjörg_102": {"cv_funcs.py": MODULE},
        "o_neilpat_103": {},
        "longname_104": {LONG: MODULE},
        "zipper_105": {"src/cv_funcs.py": MODULE},
        "linker_106": {},
    }
    assert left_out(found) == {
        "doejane_101_5001_cv_funcs.py": "replaced by a later file of the same name",
        "o_neilpat_103_text.html": "an online text, which is not graded",
        "linker_106_link.html": "a link, which is not graded",
        "readme.txt": "not named as the others are",
    }
    notes = {each.submission: each.note for each in found.mapping if each.what == "graded"}
    assert notes["müllerjörg_102"].startswith("late")
    assert "leads out of the archive" in notes["zipper_105"]
    assert "the same files as" in notes["müllerjörg_102"]


def test_canvas_anonymous(tmp_path: Path) -> None:
    """Anonymous entries have LATE in front."""
    for name in ("anon_Ab1_9_cv_funcs.py", "LATE_anon_Cd2_10_cv_funcs.py"):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / name).write_bytes(MODULE)
    assert set(files(source.load_source(tmp_path / "in", tmp_path / "out"))) == {
        "anon_Ab1",
        "anon_Cd2",
    }


@pytest.mark.parametrize("flat", [False, True])
def test_moodle(tmp_path: Path, flat: bool) -> None:
    """Folders or flat names; online texts are told, not graded."""
    slash = "_" if flat else "/"
    members = {
        f"Jane O'Hara, jr._4711_assignsubmission_file{slash}cv_funcs.py": MODULE,
        f"Jürgen Groß_4712_assignsubmission_file{slash}my_hw_1.py": b"x = 1\n",
        "Text Only_4713_assignsubmission_onlinetext/onlinetext.html": b"<p>",
    }
    found = source.load_source(pack(tmp_path / "STATS507-HW3-99.zip", members), tmp_path / "out")
    assert found.layout == "moodle"
    assert files(found) == {
        "Jane O'Hara, jr._4711": {"cv_funcs.py": MODULE},
        "Jürgen Groß_4712": {"my_hw_1.py": b"x = 1\n"},
        "Text Only_4713": {},
    }
    assert "an online text" in next(iter(left_out(found).values()))


def test_blackboard(tmp_path: Path) -> None:
    """The newest attempt counts; an assignment's name may hold underscores."""
    members = {
        "HW_3_final_jdoe_attempt_2026-03-01-09-00-00_cv_funcs.py": b"old",
        "HW_3_final_jdoe_attempt_2026-03-02-09-00-00_cv_funcs.py": MODULE,
        "HW_3_final_jdoe_attempt_2026-03-02-09-00-00.txt": b"comment",
        "HW_3_final_asmith_attempt_2026-03-02-10-00-00_my_attempt_2.py": b"x = 1\n",
    }
    found = source.load_source(pack(tmp_path / "gradebook_x.zip", members), tmp_path / "out")
    assert found.layout == "blackboard"
    assert files(found) == {
        "jdoe": {"cv_funcs.py": MODULE},
        "asmith": {"my_attempt_2.py": b"x = 1\n"},
    }
    assert sorted(left_out(found).values()) == [
        "a comment, which is not graded",
        "an older attempt",
    ]


def test_gradescope(tmp_path: Path) -> None:
    """Whose a submission is, stands in the metadata; a group is one submission."""
    pytest.importorskip("yaml")
    metadata = """
submission_1:
  :submitters:
  - {":name": "Jane Doe", ":sid": "20251", ":email": "jd@x.edu"}
  :created_at: 2026-03-01
submission_2:
  :submitters:
  - {":name": "A", ":email": "a@x.edu"}
  - {":name": "B", ":email": "b@x.edu"}
"""
    top = "assignment_9_export/"
    members = {
        f"{top}submission_metadata.yml": metadata.encode(),
        f"{top}submission_1/cv_funcs.py": MODULE,
        f"{top}submission_2/hw.py": b"x = 1\n",
    }
    found = source.load_source(pack(tmp_path / "export.zip", members), tmp_path / "out")
    assert found.layout == "gradescope"
    assert files(found) == {
        "20251": {"cv_funcs.py": MODULE},
        "a@x.edu+b@x.edu": {"hw.py": b"x = 1\n"},
    }


def test_nbgrader(tmp_path: Path) -> None:
    """The exchange's folder `submitted`."""
    for student in ("jdoe", "smith"):
        folder = tmp_path / "course" / "submitted" / student / "hw3"
        folder.mkdir(parents=True)
        (folder / "hw3.ipynb").write_text("{}")
        (folder / "timestamp.txt").write_text("2015-02-02 14:58:23.948203 America/Los_Angeles")
    found = source.load_source(tmp_path / "course" / "submitted", tmp_path / "out")
    assert (found.layout, [job.id for job in found.jobs]) == ("nbgrader", ["jdoe", "smith"])


@pytest.mark.parametrize("scores", [False, True])
def test_classroom(tmp_path: Path, scores: bool) -> None:
    """Clones are named after the assignment and the user, whose name may hold a hyphen."""
    root = tmp_path / "hw-3-submissions"
    for name in ("hw-3-jane-doe", "hw-3-asmith"):
        (root / name / ".git").mkdir(parents=True)
        (root / name / "cv_funcs.py").write_bytes(MODULE)
    if scores:
        (root / "scores.csv").write_text("username,score\njane-doe,\nasmith,\n")
    found = source.load_source(root, tmp_path / "out")
    assert (found.layout, [job.id for job in found.jobs]) == ("classroom", ["asmith", "jane-doe"])


def test_plain_folder(tmp_path: Path) -> None:
    """Folders, modules and archives; what is none of these is told."""
    root = tmp_path / "class"
    (root / "ada").mkdir(parents=True)
    (root / "ada" / "cv_funcs.py").write_bytes(MODULE)
    (root / "ben.py").write_bytes(b"x = 1\n")
    pack(root / "chloe.zip", {"hw/cv_funcs.py": b"x = 2\n", "__MACOSX/hw/._cv_funcs.py": b""})
    (root / "grades.xlsx").write_bytes(b"")
    (root / "README.md").write_text("# What is in here")
    found = source.load_source(root, tmp_path / "out")
    assert found.layout == "plain"
    assert files(found) == {
        "ada": {"cv_funcs.py": MODULE},
        "ben": {"ben.py": b"x = 1\n"},
        "chloe": {"cv_funcs.py": b"x = 2\n"},
    }
    assert left_out(found) == dict.fromkeys(
        ("README.md", "grades.xlsx"), "neither a folder nor a module"
    )


def test_broken_archive_stops_nobody(tmp_path: Path) -> None:
    """A student's own broken archive is told, and all others are graded."""
    members = {
        "doejane_101_1_all.zip": b"PK and nothing",
        "smithal_102_2_cv_funcs.py": MODULE,
        "oneillpat_103_3_hw.zip": zipped({"cv_funcs.py": b"x = 1\n"}),
    }
    found = source.load_source(pack(tmp_path / "hw.zip", members), tmp_path / "out")
    assert {name: sorted(held) for name, held in files(found).items()} == {
        "doejane_101": [],
        "smithal_102": ["cv_funcs.py"],
        "oneillpat_103": ["cv_funcs.py"],
    }
    (line,) = [each for each in found.mapping if each.submission == "doejane_101"]
    assert (line.what, line.note) == (mapping.BROKEN, "File is not a zip file")


@pytest.mark.parametrize("layout", ["plain", "moodle"])
def test_broken_archive_is_told(tmp_path: Path, layout: str) -> None:
    """A broken archive is named as left out, with the reason, also one in a student's folder."""
    root = tmp_path / "class"
    name = "hw.zip" if layout == "plain" else "Jane_4711_assignsubmission_file"
    place = root if layout == "plain" else root / name
    place.mkdir(parents=True)
    (place / "hw.zip").write_bytes(b"PK and nothing")
    if layout == "moodle":
        (place / "cv_funcs.py").write_bytes(MODULE)
    found = source.load_source(root, tmp_path / "out", layout=layout)
    whole = name if layout == "plain" else f"{name}/hw.zip"
    assert left_out(found) == {whole: mapping.BROKEN}
    assert [each.what for each in found.mapping].count(mapping.GRADED) == (layout == "moodle")


def test_mapping_knows_how_gradings_ended() -> None:
    """After gradings, each line says whether there is a grade, also where nothing was to grade."""
    lines = [
        mapping.Mapped(submission="ada", source="a.py", what=mapping.GRADED),
        mapping.Mapped(submission="ada", source="a.zip", what=mapping.BROKEN, note="no zip"),
        mapping.Mapped(submission="ben", source="b.zip", what=mapping.BROKEN, note="no zip"),
        mapping.Mapped(submission="eve", source="e.html", what="an online text"),
        mapping.Mapped(submission="dan", source="d.py", what=mapping.GRADED, note="late"),
        mapping.Mapped(submission="zoe", source="z.py", what=mapping.GRADED),
    ]
    results = {
        "ada": (Status.GRADED, ""),
        "ben": (Status.UNGRADABLE, "no module"),
        "eve": (Status.UNGRADABLE, "empty"),
        "dan": (Status.ERROR, "the machine broke"),
    }
    found = [
        (each.submission, each.what, each.note) for each in mapping.with_results(lines, results)
    ]
    assert found == [
        ("ada", "graded", ""),
        ("ada", mapping.BROKEN, "no zip"),
        ("ben", "ungradable", "no zip; no module"),
        ("eve", "an online text", ""),
        ("dan", "error", "late; the machine broke"),
        ("zoe", "not graded yet", ""),
        ("eve", "ungradable", "empty"),
    ]


def test_roster_and_mapping(tmp_path: Path) -> None:
    """Who handed in nothing, and who is not in the roster, has a line in mapping.csv."""
    members = {"doejane_101_5001_cv_funcs.py": MODULE, "strange_102_5002_cv_funcs.py": b"x = 1\n"}
    listed = tmp_path / "roster.csv"
    listed.write_text('ID,Student\n101,"Doe, Jane"\n103,"Newline\nSam"\n', "utf-8")
    students = roster.read_roster(listed, None)
    source.load_source(pack(tmp_path / "hw.zip", members), tmp_path / "out", roster=students)
    with (tmp_path / "out" / "mapping.csv").open(encoding="utf-8", newline="") as file:
        rows = {(row["submission"], row["what"]) for row in csv.DictReader(file)}
    assert ("", "handed in nothing") in rows
    assert ("strange_102", "not in the roster") in rows
    assert ("doejane_101", "not graded yet") in rows


CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,Homework 7 (7)
,,,,,Manual Posting
    Points Possible,,,,,20
"Doe, Jane",101,8001,jd,A,
"Newman, Sam",103,8003,sn,A,101
"Student, Test",999,,abcdef,A,
"""
MOODLE = """\
Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed
Participant 101,Jane Doe,jd@x.edu,Submitted for grading,,20.00,Yes
Participant 103,Sam Newman,sn@x.edu,No submission,,20.00,Yes
"""


@pytest.mark.parametrize(
    ("sheet", "people"),
    [
        (CANVAS, [("Doe, Jane", "101", "8001", "jd"), ("Newman, Sam", "103", "8003", "sn")]),
        (
            MOODLE,
            [
                ("Participant 101", "Jane Doe", "jd@x.edu"),
                ("Participant 103", "Sam Newman", "sn@x.edu"),
            ],
        ),
    ],
    ids=["canvas", "moodle"],
)
def test_roster_of_a_course_system_has_people_only(
    tmp_path: Path, sheet: str, people: list[tuple[str, ...]]
) -> None:
    """Rows above the grades and the teacher's own are nobody, and points are no names."""
    (tmp_path / "roster.csv").write_text(sheet, "utf-8")
    found = roster.read_roster(tmp_path / "roster.csv", None)
    assert [each.cells for each in found] == people


def test_layout_can_be_asked_for(tmp_path: Path) -> None:
    """What is asked for is what is read; what does not fit is one line."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "doejane_101_5001_cv_funcs.py").write_bytes(MODULE)
    assert source.load_source(tmp_path / "in", tmp_path / "out", layout="plain").layout == "plain"
    with pytest.raises(UsageError, match="named as moodle names it"):
        source.load_source(tmp_path / "in", tmp_path / "out", layout="moodle")
    with pytest.raises(UsageError, match="no folder or archive"):
        source.load_source(tmp_path / "nothing", tmp_path / "out")


# --- archives


def test_unsafe_members_stay_out(tmp_path: Path) -> None:
    """Absolute paths, ways up and links are left out, and told."""
    archive = tmp_path / "evil.tar"
    with tarfile.open(archive, "w") as tape:
        for name in ("good.py", "../up.py", "/absolute.py", "a/../../up.py"):
            member = tarfile.TarInfo(name)
            member.size = len(MODULE)
            tape.addfile(member, io.BytesIO(MODULE))
        link = tarfile.TarInfo("link.py")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tape.addfile(link)
    left = archives.unpack_archive(archive, tmp_path / "in" / "deep")
    assert [p.name for p in (tmp_path / "in").rglob("*") if p.is_file()] == ["good.py"]
    assert len(left) == 4
    assert not (tmp_path / "up.py").exists()


def test_symbolic_link_in_a_zip(tmp_path: Path) -> None:
    """A zip keeps links in a file's attributes."""
    info = zipfile.ZipInfo("link.py")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "links.zip", "w") as whole:
        whole.writestr(info, "/etc/passwd")
    assert archives.unpack_archive(tmp_path / "links.zip", tmp_path / "in") == ["link.py (a link)"]


def test_bomb(tmp_path: Path) -> None:
    """What unpacks to more than is allowed is stopped on the way, whatever size it says it has."""
    pack(tmp_path / "bomb.zip", {"zeros": bytes(30_000_000)})
    with pytest.raises(UsageError, match="more than"):
        archives.unpack_archive(
            tmp_path / "bomb.zip", tmp_path / "in", archives.Most(files=9, bytes=1_000_000)
        )
    assert sum(p.stat().st_size for p in (tmp_path / "in").rglob("*")) < 5_000_000


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 and then nothing", b"no archive at all"])
def test_broken_archive(tmp_path: Path, data: bytes) -> None:
    """A broken archive is one line."""
    (tmp_path / "broken.zip").write_bytes(data)
    with pytest.raises(UsageError, match=r"broken.zip cannot be unpacked"):
        archives.unpack_archive(tmp_path / "broken.zip", tmp_path / "in")
