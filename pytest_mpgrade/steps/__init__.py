"""The steps of `student.play`: calls in one process, and what happens between them.

student.play(
    steps.call("bg_task", task, save="job", opaque=True, gates=steps.SHUT),
    steps.call("bg_get", *steps.saved("job", 3), block=False, gates=steps.SHUT),
    steps.call("bg_get", *steps.saved("job", 3), block=True),
)
"""

from __future__ import annotations

from pytest_mpgrade.inside.placeholders import BareQueue as BareQueue
from pytest_mpgrade.inside.placeholders import Own as Own
from pytest_mpgrade.inside.placeholders import PipeEnd as PipeEnd
from pytest_mpgrade.inside.placeholders import ThreadQueue as ThreadQueue
from pytest_mpgrade.records import Again as Again
from pytest_mpgrade.records import HeldTask as HeldTask
from pytest_mpgrade.records import HeldTasks as HeldTasks
from pytest_mpgrade.records import Rendezvous as Rendezvous
from pytest_mpgrade.records import WebPage as WebPage
from pytest_mpgrade.steps.applied import arg_tuples as arg_tuples
from pytest_mpgrade.steps.applied import items as items
from pytest_mpgrade.steps.calls import KEPT as KEPT
from pytest_mpgrade.steps.calls import OPEN as OPEN
from pytest_mpgrade.steps.calls import SHUT as SHUT
from pytest_mpgrade.steps.calls import call as call
from pytest_mpgrade.steps.calls import drop as drop
from pytest_mpgrade.steps.calls import gather as gather
from pytest_mpgrade.steps.calls import let as let
from pytest_mpgrade.steps.calls import meet as meet
from pytest_mpgrade.steps.calls import own as own
from pytest_mpgrade.steps.calls import saved as saved
from pytest_mpgrade.steps.calls import script as script
from pytest_mpgrade.steps.calls import whole as whole
from pytest_mpgrade.steps.looks import inspection as inspection
from pytest_mpgrade.steps.looks import saved_value as saved_value
from pytest_mpgrade.steps.web import fetch as fetch
