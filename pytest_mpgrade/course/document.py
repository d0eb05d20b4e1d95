"""What an `assignment.toml` may say, key by key."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from pytest_mpgrade.course.tables import (
    EnvironmentTable,
    ExploreTable,
    LateTable,
    LimitsTable,
    NotebookTable,
    SpeedTable,
    meaning,
)

FILE = "assignment.toml"
NOTEBOOK = ".ipynb"
"""The suffix of the module's name where an assignment asks for a notebook."""
StartMethod = Literal["fork", "spawn", "forkserver"]
Ordering = Literal["any", "submission"]

# Upper bounds keep out `inf`: infinite points cannot be shared.
_Text = Annotated[str, Meta(min_length=1)]
_Name = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9][\w.-]*\Z")]
_Points = Annotated[float, Meta(ge=0, le=1e6)]


class CriterionTable(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One table `[[criteria]]`: what some of the points are given for."""

    name: Annotated[
        _Name, meaning('The name by which tests are marked: @pytest.mark.criterion("results").')
    ]
    points: Annotated[_Points, meaning("What the questions of this criterion share.")]
    title: Annotated[str, meaning("What rubrics and reports call it.")] = ""
    hidden: Annotated[
        bool, meaning("Keep names, messages and evidence of this criterion from students.")
    ] = False
    requires: Annotated[
        tuple[_Name, ...],
        meaning("Criteria of which half of the points are needed before this one earns any."),
    ] = ()


class Document(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """An `assignment.toml`, key by key."""

    name: Annotated[_Name, meaning("The assignment's name, by which commands know it.")]
    title: Annotated[_Text, meaning("What handouts and reports call it.")]
    module: Annotated[
        _Text, meaning("The file that students hand in: a module, or a notebook (.ipynb).")
    ]
    points: Annotated[
        float,
        Meta(gt=0, le=1e6),
        meaning("What the assignment is worth; the criteria share it by their own points."),
    ]
    start_methods: Annotated[
        tuple[StartMethod, ...],
        Meta(min_length=1),
        meaning("The start methods of multiprocessing under which tests are asked."),
    ]
    test: Annotated[_Text, meaning("The file with the tests, in the same folder.")]
    criteria: Annotated[
        tuple[CriterionTable, ...],
        Meta(min_length=1),
        meaning("What the points are given for, in the order of the rubric."),
    ]
    functions: Annotated[
        tuple[_Text, ...],
        meaning('The signatures that are asked for, as in "mp_apply(tasks, n_processes=2)".'),
    ] = ()
    ordering: Annotated[
        Ordering,
        meaning('Whether results come in the order of the tasks ("submission") or in any.'),
    ] = "any"
    round: Annotated[
        float, Meta(gt=0, le=1e6), meaning("Scores are rounded half up to a multiple of this.")
    ] = 0.01
    notebook: Annotated[
        NotebookTable, meaning("How a notebook is executed, where the module is one.")
    ] = NotebookTable()
    limits: Annotated[LimitsTable, meaning("What one run may use.")] = LimitsTable()
    speedup: Annotated[
        SpeedTable, meaning("When a program that is slower than the reference loses points.")
    ] = SpeedTable()
    explore: Annotated[ExploreTable, meaning("How long schedules are tried.")] = ExploreTable()
    environment: Annotated[EnvironmentTable, meaning("What a submission finds installed.")] = (
        EnvironmentTable()
    )
    late: Annotated[
        LateTable | None, meaning("What handing in late costs; without this table nothing.")
    ] = None
