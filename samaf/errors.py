"""What can go wrong in a way that the user can fix.

Every message is one line that names the file or value, the reason and the way out.
"""


class SamafError(Exception):
    """Root of all errors that samaf raises on purpose."""


class AudioError(SamafError):
    """A file or stream that gives no usable audio."""


class StreamError(AudioError):
    """A stream that broke off or cannot be opened; ``reason`` is that of the message alone."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class InterruptedHashingError(AudioError):
    """A process that ended while it hashed a file, which may be a sound one."""


class FingerprinterError(SamafError):
    """A model that is unknown, damaged, or not the one that a store belongs to."""


class StoreError(SamafError):
    """A store that cannot be reached, read, written, or understood."""


class IndexCacheError(SamafError):
    """A cached index that cannot be read or written."""


class IndexDatabaseError(SamafError):
    """A database of an index that cannot be reached, read, written, or understood."""


class ShardAwayError(IndexDatabaseError):
    """A server that holds a part of an index and does not answer."""


class QueryError(SamafError):
    """A query with options out of range, or that the store's model does not support."""


class TrainingError(SamafError):
    """A training run that cannot start or go on."""


class CorpusError(SamafError):
    """A corpus or manifest that gives no usable clips."""


class ReportError(SamafError):
    """A case file, record or folder that no report can be made from, or written to."""
