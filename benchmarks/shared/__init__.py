"""What recordings share: synchronisation, repeats, overlaps."""
