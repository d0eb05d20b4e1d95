"""Must never be loaded by the grader."""

open("/tmp/mpgrade-hostile-was-here", "w").close()
raise SystemExit("was loaded by the grader")
