"""All checks that a test can give to `student.check`, and what authors need to make their own."""

from __future__ import annotations

from pytest_mpgrade.judge.check import (
    PASSED,
    Check,
    Verdict,
    absent,
    failed,
    fault,
    inconclusive,
    not_here,
    undecided,
)
from pytest_mpgrade.judge.checks.awaiting import (
    awaits_value,
    exception_comes_through,
    is_coroutine_function,
    keeps_loop_free,
    leaves_nothing,
    run_together,
)
from pytest_mpgrade.judge.checks.background import (
    gives_three_handles,
    meet_in_background,
    returns_at_once,
    starts_in_background,
)
from pytest_mpgrade.judge.checks.background_results import (
    Together,
    hands_over,
    hands_over_plain,
    names_the_death,
    says_inactive,
)
from pytest_mpgrade.judge.checks.bounded import bounded
from pytest_mpgrade.judge.checks.child_end import child_ended, child_joined, nothing_left_of_tasks
from pytest_mpgrade.judge.checks.chunks import chunked
from pytest_mpgrade.judge.checks.closeness import returns_close
from pytest_mpgrade.judge.checks.coming_back import comes_back, drains, workers_are_told_to_stop
from pytest_mpgrade.judge.checks.concurrency import (
    first_in_first_out,
    free_worker_takes_next,
    met,
    workers,
)
from pytest_mpgrade.judge.checks.conversation import answers_each, closes_connection, obeys_none
from pytest_mpgrade.judge.checks.estimators import (
    fitted,
    given_n_jobs,
    given_seed,
    left_as_returned,
    same_predictions,
)
from pytest_mpgrade.judge.checks.failures import (
    all_shut_down,
    notices_death,
    raises_soon,
    waiting_not_started,
)
from pytest_mpgrade.judge.checks.fetching import (
    fills_all_places,
    gives_rows,
    opens_at_most,
    rows_in_order,
)
from pytest_mpgrade.judge.checks.folds import fold_metrics, in_fold_order, left_unfitted
from pytest_mpgrade.judge.checks.interface import (
    has_functions,
    imports_cleanly,
    uses_the_default,
    worker_obeys_sentinel,
    worker_output,
    works_under_start_method,
)
from pytest_mpgrade.judge.checks.leftovers import nothing_accumulates, nothing_else_left
from pytest_mpgrade.judge.checks.notebook import (
    has_list,
    made_by_children,
    no_process_left,
    runs_top_to_bottom,
)
from pytest_mpgrade.judge.checks.notebook_output import draws, shows_rows
from pytest_mpgrade.judge.checks.one_process_each import (
    all_started_first,
    closes_processes,
    exit_codes,
    exit_codes_in_order,
    one_process_each,
    outlives_failures,
)
from pytest_mpgrade.judge.checks.pi_estimates import estimates_pi, points_apart
from pytest_mpgrade.judge.checks.polling import still_running, waits_when_asked
from pytest_mpgrade.judge.checks.pool_in_background import (
    keeps_the_work,
    nothing_left_of_handle,
    of_held,
    times_out,
    works_in_background,
)
from pytest_mpgrade.judge.checks.races import holds_under_every_schedule
from pytest_mpgrade.judge.checks.reproducible import cells_in_order, same_again, same_as_submitted
from pytest_mpgrade.judge.checks.results import (
    gives_results,
    late_result_arrives,
    lets_through,
    returns_value,
    values_in_any_order,
    values_in_order,
)
from pytest_mpgrade.judge.checks.scaling import scales
from pytest_mpgrade.judge.checks.scripts import starts_child_as_script
from pytest_mpgrade.judge.checks.seeds import leaves_global_state, same_streams, seeds_matter
from pytest_mpgrade.judge.checks.shutdown import ended_by_sentinel, no_leftovers
from pytest_mpgrade.judge.checks.speed import faster_than_serial, keeps_up_with_reference
from pytest_mpgrade.judge.checks.started import follows_n_processes, started
from pytest_mpgrade.judge.checks.streams import (
    means_of_samples,
    no_overlap,
    streams_apart,
    telling_data,
)
from pytest_mpgrade.judge.checks.vectorized import no_python_loop, not_drawn_from
from pytest_mpgrade.judge.checks.who_computed import in_children, none_in_caller
from pytest_mpgrade.judge.definition import check

__all__ = [
    "PASSED",
    "Check",
    "Together",
    "Verdict",
    "absent",
    "all_shut_down",
    "all_started_first",
    "answers_each",
    "awaits_value",
    "bounded",
    "cells_in_order",
    "check",
    "child_ended",
    "child_joined",
    "chunked",
    "closes_connection",
    "closes_processes",
    "comes_back",
    "drains",
    "draws",
    "ended_by_sentinel",
    "estimates_pi",
    "exception_comes_through",
    "exit_codes",
    "exit_codes_in_order",
    "failed",
    "faster_than_serial",
    "fault",
    "fills_all_places",
    "first_in_first_out",
    "fitted",
    "fold_metrics",
    "follows_n_processes",
    "free_worker_takes_next",
    "given_n_jobs",
    "given_seed",
    "gives_results",
    "gives_rows",
    "gives_three_handles",
    "hands_over",
    "hands_over_plain",
    "has_functions",
    "has_list",
    "holds_under_every_schedule",
    "imports_cleanly",
    "in_children",
    "in_fold_order",
    "inconclusive",
    "is_coroutine_function",
    "keeps_loop_free",
    "keeps_the_work",
    "keeps_up_with_reference",
    "late_result_arrives",
    "leaves_global_state",
    "leaves_nothing",
    "left_as_returned",
    "left_unfitted",
    "lets_through",
    "made_by_children",
    "means_of_samples",
    "meet_in_background",
    "met",
    "names_the_death",
    "no_leftovers",
    "no_overlap",
    "no_process_left",
    "no_python_loop",
    "none_in_caller",
    "not_drawn_from",
    "not_here",
    "nothing_accumulates",
    "nothing_else_left",
    "nothing_left_of_handle",
    "nothing_left_of_tasks",
    "notices_death",
    "obeys_none",
    "of_held",
    "one_process_each",
    "opens_at_most",
    "outlives_failures",
    "points_apart",
    "raises_soon",
    "returns_at_once",
    "returns_close",
    "returns_value",
    "rows_in_order",
    "run_together",
    "runs_top_to_bottom",
    "same_again",
    "same_as_submitted",
    "same_predictions",
    "same_streams",
    "says_inactive",
    "scales",
    "seeds_matter",
    "shows_rows",
    "started",
    "starts_child_as_script",
    "starts_in_background",
    "still_running",
    "streams_apart",
    "telling_data",
    "times_out",
    "undecided",
    "uses_the_default",
    "values_in_any_order",
    "values_in_order",
    "waiting_not_started",
    "waits_when_asked",
    "worker_obeys_sentinel",
    "worker_output",
    "workers",
    "workers_are_told_to_stop",
    "works_in_background",
    "works_under_start_method",
]
