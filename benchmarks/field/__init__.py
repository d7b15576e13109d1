"""``python -m benchmarks field``: clips as cases bring them, asked with the program's defaults."""
