"""The trusted side of one run: starts the student's process, runs the gates, watches, ends
everything.
"""
