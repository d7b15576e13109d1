"""The options of a query, their defaults and their ranges, for Python and the shell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from samaf.errors import QueryError
from samaf.media import Selection

if TYPE_CHECKING:
    from samaf.records import Population

INDEX_TYPES = ("exact", "flat", "ivf")
SEARCHES = ("plain", "deep", "exhaustive")
POPULATIONS = ("speech", "prompts")
GRANULARITY_S = 3  # seconds compared at once
GRANULARITIES_S = (1, 6)  # the least and the most
MATCHES = 5  # for one segment of a clip
STREAM_MATCHES = 1  # for one segment of a stream
MAX_FALSE_MATCHES = 1e-3  # expected in a query
MAX_FALSE_MATCHES_PER_HOUR = 0.1  # expected in an hour of a stream
MAX_FALSE_PAIRS = 1e-3  # expected in the list of all duplicates
LEAST_SECONDS = 2.0  # of a piece that recurs
LEAST_SHARED = 1.0  # s that two recordings must share to belong together
COMMON = 5  # recordings that hold a piece which joins none of them


@dataclass(frozen=True, slots=True)
class QueryOptions:
    """The options of a query; see ``Engine.query``.

    Raises
    ------
    QueryError
        A value is out of its range.
    """

    granularity_s: int = GRANULARITY_S
    k: int = MATCHES
    max_false_matches: float = MAX_FALSE_MATCHES
    search: str = "plain"
    population: Population = "speech"
    verify: bool = False
    track: int | None = None
    channel: int | None = None

    def __post_init__(self) -> None:
        if not GRANULARITIES_S[0] <= self.granularity_s <= GRANULARITIES_S[1]:
            raise QueryError(f"granularity {self.granularity_s} s is out of range; choose 1 to 6")
        if self.k < 1:
            raise QueryError(f"{self.k} matches cannot be given; choose 1 or more")
        if not 0 < self.max_false_matches <= 1:
            raise QueryError(
                f"{self.max_false_matches} maximum false matches are out of range; "
                "choose above 0, up to 1"
            )
        if self.search not in SEARCHES:
            raise QueryError(f"{self.search!r}: no such search; choose {', '.join(SEARCHES)}")
        if self.population not in POPULATIONS:
            raise QueryError(
                f"{self.population!r}: no such population; choose {', '.join(POPULATIONS)}"
            )

    @property
    def selection(self) -> Selection:
        """Which sound of a clip is searched for."""
        return Selection(self.track, self.channel)

    @property
    def deep(self) -> bool:
        """Whether manipulations are searched for."""
        return self.search != "plain"

    def window_hashes(self, hop: float) -> int:
        """How many hashes, one every ``hop`` seconds, are searched for at once."""
        return (self.granularity_s - 1) * round(1 / hop) + 1


def check_index_type(index: str) -> None:
    """Raise an error where an index is neither of a type that there is nor the URL of a database.

    Raises
    ------
    QueryError, IndexDatabaseError
    """
    if "://" in index:
        from samaf.index.cluster.urls import resolve

        resolve(index)
    elif index not in INDEX_TYPES:
        raise QueryError(
            f"{index!r}: no such index; there are {', '.join(INDEX_TYPES)}, and databases such as "
            "chdb:///FOLDER"
        )
