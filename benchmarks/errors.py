"""What can go wrong in a benchmark in a way that the user can fix."""

from samaf.errors import SamafError


class BenchmarkError(SamafError):
    """A benchmark that cannot start or go on."""


class SettingsError(BenchmarkError):
    """Results in the folder were measured with other settings."""


class TransformationError(BenchmarkError):
    """A transformation that cannot be applied to one clip."""
