"""What students hand in, read by syntax only."""
