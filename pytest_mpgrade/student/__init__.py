"""What a test holds: calls of the student's functions, the notebook, timings; every run is made
once.
"""

from pytest_mpgrade.student.calls import Student

__all__ = ["Student"]
