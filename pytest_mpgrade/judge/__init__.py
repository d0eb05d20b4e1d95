"""Pure: Runs -> Findings -> points. No process, no file, no clock."""
