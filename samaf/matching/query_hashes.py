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
    """

    result: QueryResult
    grids: tuple[Grid, ...] = ()
    samples: np.ndarray | None = None


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
