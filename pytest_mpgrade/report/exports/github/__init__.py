"""A grading for GitHub Actions.

The reporter gets payloads, the step a summary, and the student's code annotations.
"""
