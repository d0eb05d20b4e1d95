"""What GitHub Actions awaits of a grading: payloads for its reporter, a summary of the step, marks
beside the code.
"""
