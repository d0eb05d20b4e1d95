"""Runs in the student's process and is never believed.

Standard library only; imports nothing of ours outside.
"""
