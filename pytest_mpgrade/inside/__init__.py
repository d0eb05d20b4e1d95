"""Code that runs in the student's process; the grader never believes it.

It uses the standard library only, and imports nothing of ours from outside this package.
"""
