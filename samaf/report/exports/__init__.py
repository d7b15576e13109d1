"""What was found, in the formats of other programs: pure functions of records."""
