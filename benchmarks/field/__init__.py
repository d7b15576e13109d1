"""``python -m benchmarks field``: clips as cases bring them, with the program's defaults."""
