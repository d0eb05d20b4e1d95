"""What students hand in, found by syntax only."""
