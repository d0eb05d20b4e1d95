"""Kernel calls and files of Linux, each a few typed functions."""
