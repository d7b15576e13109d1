"""Streams that are followed for long: what they cost, and what is lost."""
