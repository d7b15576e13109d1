"""The hashes of a query: unaltered on one grid or three, and under hypotheses."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from samaf.features import mfcc
from samaf.fingerprinters import Fingerprinter
from samaf.matching.edge_blocks import hash_with_padding, is_short
from samaf.matching.hypotheses import Hypothesis
from samaf.records import Hashes, QueryResult

Grid: TypeAlias = tuple[Hypothesis, Hashes]  # hashes a hop apart, and what they were made under


@dataclass(frozen=True, slots=True, eq=False)
class PreparedQuery:
    """A clip, decoded once and hashed once.

    Attributes
    ----------
    result
        Without matches; its ``reason`` says why there is nothing to search for.
    grids
        Of the clip as it is: one, or of a short clip also two padded at its edges. Empty for a
        deep query, which hashes under its hypotheses.
    samples
        float32 (n,), peak-normalised, where the query is deep or matches are to be verified.
    channel
        Name of the side whose hashes and samples these are; "" for the mix of all channels.
    sides
        The same for each side of a clip whose channels differ.
    """

    result: QueryResult
    grids: tuple[Grid, ...] = ()
    samples: np.ndarray | None = None
    channel: str = ""
    sides: tuple[PreparedQuery, ...] = ()

    @property
    def salt(self) -> str:
        """Text that belongs to these samples alone; see ``Fingerprinter.hashes``."""
        return salt_of(self.result.sha256, self.channel)

    def samples_of(self, channel: str) -> np.ndarray:
        """Give the samples of a side, or of the mix for ""; they were kept."""
        (samples,) = (s.samples for s in self.streams if s.channel == channel)
        assert samples is not None
        return samples

    @property
    def streams(self) -> tuple[PreparedQuery, ...]:
        """The mix and the sides: what is searched for."""
        return (self, *self.sides)


def salt_of(sha256: str, channel: str) -> str:
    """Give the text that belongs to a side of a file alone, or to the mix of its channels."""
    return f"{sha256} {channel}" if channel else sha256


def hash_under(
    samples: np.ndarray,
    salt: str,
    fingerprinter: Fingerprinter,
    hypotheses: Sequence[Hypothesis],
) -> list[Grid]:
    """Hash a clip under hypotheses, see `hash_with_padding`.

    Parameters
    ----------
    samples
        float32 (n,), the full clip, peak-normalised.
    salt
        Text that belongs to this clip alone; see ``Fingerprinter.hashes``.
    """
    parameters = fingerprinter.card.features
    seconds = len(samples) / parameters.sample_rate

    def grids_under(hypothesis: Hypothesis) -> list[Grid]:
        manipulation = hypothesis.manipulation
        warped = replace(parameters, tau=manipulation.tau, rho=manipulation.rho)
        frames = mfcc(samples[::-1] if manipulation.reversed else samples, warped)
        short = is_short(seconds, manipulation)
        return hash_with_padding(frames, hypothesis, salt, fingerprinter, short)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [grid for grids in pool.map(grids_under, hypotheses) for grid in grids]
