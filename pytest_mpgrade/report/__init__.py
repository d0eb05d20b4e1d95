"""Report -> terminal, result.json, gradebook."""
