"""Has a name of the library: may be loaded where student code runs, never by the grader."""

import sys

if "pytest" in sys.modules or "pytest_mpgrade.run.supervisor" in sys.modules:
    open("/tmp/hostile-was-loaded", "w").close()
raise SystemExit("was loaded")
