"""The frozen records that cross the boundaries between packages.

Times are seconds, levels are relative to full scale (peak 1), hashes are packed
with ``numpy.packbits`` (big-endian bit order, +1 as 1).
"""

from samaf.records.answers import (
    Comparison,
    CopiesResult,
    Duplicate,
    QueryResult,
    RankingResult,
    RepeatedSegment,
    VerificationResult,
)
from samaf.records.matches import (
    IDENTITY,
    UNALTERED,
    Band,
    LagCurves,
    Manipulation,
    Match,
    Population,
    RankedRecording,
    Verification,
)
from samaf.records.recordings import NO_LABELS, Codes, Fingerprint, Hashes, Recording
from samaf.records.results import AddResult, Reconstruction, RehashResult, Relocation
from samaf.records.shared import (
    Jump,
    Overlap,
    RecordingGroup,
    RecordingGroups,
    RepeatCluster,
    RepeatPlace,
    SyncedRecording,
)

__all__ = [
    "AddResult",
    "Band",
    "Codes",
    "Comparison",
    "CopiesResult",
    "Duplicate",
    "Fingerprint",
    "Hashes",
    "IDENTITY",
    "Jump",
    "LagCurves",
    "Manipulation",
    "Match",
    "NO_LABELS",
    "Overlap",
    "Population",
    "QueryResult",
    "RankedRecording",
    "RankingResult",
    "Reconstruction",
    "Recording",
    "RecordingGroup",
    "RecordingGroups",
    "RehashResult",
    "Relocation",
    "RepeatCluster",
    "RepeatPlace",
    "RepeatedSegment",
    "SyncedRecording",
    "UNALTERED",
    "Verification",
    "VerificationResult",
]
