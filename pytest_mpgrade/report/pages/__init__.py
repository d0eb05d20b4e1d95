"""Pages in HTML: each a single file that runs nothing and loads nothing."""
