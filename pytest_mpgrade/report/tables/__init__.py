"""CSV files of a class, for people and for course systems."""
