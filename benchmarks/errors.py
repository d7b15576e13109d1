"""What can go wrong in a benchmark in a way that the user can mend."""

from samaf.errors import SamafError


class BenchmarkError(SamafError):
    """A benchmark that cannot start or go on."""


class SettingsError(BenchmarkError):
    """Results that are there were measured in another way."""


class RowError(BenchmarkError):
    """A transformation that cannot be applied to one clip."""
