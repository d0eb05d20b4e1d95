"""What a course author writes: `assignment.toml`, parsed once, then trusted."""
