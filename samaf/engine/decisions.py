"""What people decided about matches: entries of the store's audit log."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from samaf.errors import QueryError
from samaf.status import AuditEntry
from samaf.store import Store

ACT = "decision"
DECISIONS = ("accepted", "to check", "rejected")
LONGEST_COMMENT = 4000  # characters
LONGEST_NAME = 200
MOST_DECISIONS = 10_000  # that are given at once


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decided about a match.

    Attributes
    ----------
    clip, clip_sha256
        Name and SHA-256 of the clip.
    reference, reference_sha256
        Those of the recording.
    query_start, query_stop, reference_start, reference_stop
        Seconds: the places that were judged.
    decision
        One of `DECISIONS`.
    name
        Who decided.
    decided_at
        UTC time in ISO 8601; empty until it is stored.
    entry_id
        Of the audit log; 0 until it is stored.

    Raises
    ------
    QueryError
        There is no such decision, nobody's name, or a text is too long.
    """

    clip: str
    clip_sha256: str
    reference: str
    reference_sha256: str
    query_start: float
    query_stop: float
    reference_start: float
    reference_stop: float
    decision: str
    comment: str = ""
    name: str = ""
    decided_at: str = ""
    entry_id: int = 0

    def __post_init__(self) -> None:
        if self.decision not in DECISIONS:
            raise QueryError(f"{self.decision!a}: no decision; choose {', '.join(DECISIONS)}")
        if not self.name.strip():
            raise QueryError("a decision needs the name of whoever decides; give one")
        if len(self.name) > LONGEST_NAME:
            raise QueryError(f"the name is longer than {LONGEST_NAME} characters; shorten it")
        if len(self.comment) > LONGEST_COMMENT:
            raise QueryError(f"the comment is longer than {LONGEST_COMMENT:,} characters; cut it")

    def is_about(self, query: tuple[float, float], reference: tuple[float, float]) -> bool:
        """Whether places in clip and recording, in seconds, overlap with those judged."""
        return (
            self.query_start < query[1]
            and query[0] < self.query_stop
            and self.reference_start < reference[1]
            and reference[0] < self.reference_stop
        )


def decide(store: Store, decision: Decision) -> None:
    """Write a decision into the audit log; it is safe there when this returns."""
    details = asdict(decision)
    for name in ("clip", "clip_sha256", "decided_at", "entry_id"):
        del details[name]
    store.log(ACT, decision.clip_sha256, decision.clip, details)


def decisions(store: Store, clip_sha256: str) -> list[Decision]:
    """Give the decisions about a clip, the newest first."""
    return page_of_decisions(store, clips=[clip_sha256])[0]


def page_of_decisions(
    store: Store,
    before: int | None = None,
    limit: int = MOST_DECISIONS,
    clips: Collection[str] = (),
) -> tuple[list[Decision], int | None]:
    """Give the decisions about all clips, or those with some SHA-256, the newest first.

    Parameters
    ----------
    before
        Only those with a smaller entry of the audit log.

    Returns
    -------
    So many at most, and ``before`` of the next page; None on the last one.
    """
    entries = store.audit_page(before, limit + 1, act=ACT, digests=clips)
    more = entries[limit - 1].entry_id if len(entries) > limit else None
    return list(_read(entries[:limit])), more


def _read(entries: Iterable[AuditEntry]) -> Iterable[Decision]:
    for entry in entries:
        details: Mapping[str, Any] = entry.details
        try:
            yield Decision(
                clip=entry.path,
                clip_sha256=entry.sha256,
                decided_at=entry.happened_at,
                entry_id=entry.entry_id,
                **details,
            )
        except (TypeError, QueryError):  # written by a version that knows more
            continue
