"""The asking side of a run: the request, the servers that make runs, the report."""
