"""The trusted side of one run.

It starts the student's process, plays the gate scripts, watches the tree, and ends everything.
"""
