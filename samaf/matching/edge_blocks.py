"""Short clips: blocks padded at the clip's edges, on more than one grid.

A clip begins anywhere between two hops of the recording, and one of 1 s holds a single full
block.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from samaf.features import FeatureParameters, blocks
from samaf.fingerprinters import Fingerprinter
from samaf.matching.hypotheses import Hypothesis
from samaf.records import IDENTITY, Hashes, Manipulation

SHORT_SECONDS = 8.0  # clips below are hashed on more than one grid
ALTERED_SHORT_SECONDS = 3.0  # the same under other hypotheses: they are many
CONTENT = 0.75  # least share of a block, or of a shorter clip, that a hash must hold
SHORTEST = 0.5  # of a block: clips that are shorter under a hypothesis are left out


def is_short(seconds: float, manipulation: Manipulation = IDENTITY) -> bool:
    """Whether a clip is so short that one grid is too few, as it is or under a hypothesis."""
    return seconds < (SHORT_SECONDS if manipulation == IDENTITY else ALTERED_SHORT_SECONDS)


def hash_with_padding(
    frames: np.ndarray,
    hypothesis: Hypothesis,
    salt: str,
    fingerprinter: Fingerprinter,
    short: bool,
) -> list[tuple[Hypothesis, Hashes]]:
    """Hash the frames of a clip, with blocks padded at its edges.

    Parameters
    ----------
    frames
        float32 (n, coefficients), computed under ``hypothesis``.
    salt
        Text that belongs to this clip alone; see ``Fingerprinter.hashes``.
    short
        Whether to hash on two grids, half a hop apart. Where tempo and pitch are
        unchanged, also in unpadded blocks: a recording as short as the clip holds no others.

    Returns
    -------
    The hypothesis with its origin and its share of the prior, and the hashes, for each grid;
    empty where there is less than half a block.
    """
    parameters = fingerprinter.card.features
    if len(frames) + 1 < SHORTEST * parameters.block_frames:  # the last frame is not whole
        return []
    made = []
    if short and hypothesis.manipulation.tau == hypothesis.manipulation.rho == 1:
        unpadded = fingerprinter.hash_blocks(blocks(frames, parameters), salt)
        if len(unpadded):
            made.append((hypothesis, unpadded))
    for offset in (0, parameters.hop_frames // 2) if short else (0,):
        starts = block_starts(len(frames), offset, parameters)
        hashes = fingerprinter.hash_blocks(padded_blocks(frames, starts, parameters), salt)
        origin = float(starts[0]) / parameters.hop_frames
        made.append((replace(hypothesis, origin=origin), hashes))
    return [(replace(h, prior=h.prior / len(made)), hashes) for h, hashes in made]


def block_starts(frames: int, offset: int, parameters: FeatureParameters) -> np.ndarray:
    """List the first frames of blocks that hold enough of a clip, ascending, int64 (m,).

    They lie a hop apart, one of them on frame ``offset``.
    """
    size, hop = parameters.block_frames, parameters.hop_frames
    least = round(CONTENT * min(size, frames))
    first = offset - (offset + size - least) // hop * hop
    return np.arange(first, frames - least + 1, hop)


def padded_blocks(
    frames: np.ndarray, starts: np.ndarray, parameters: FeatureParameters
) -> np.ndarray:
    """Cut blocks that are padded where they reach beyond either end of a clip.

    float32, shape (m, block_frames, coefficients); padding is the mean of the
    block's frames, in each coefficient.
    """
    at = starts[:, None] + np.arange(parameters.block_frames)
    inside = (at >= 0) & (at < len(frames))
    cut = frames[np.clip(at, 0, len(frames) - 1)]
    for block in np.flatnonzero(~inside.all(axis=1)):
        cut[block, ~inside[block]] = cut[block, inside[block]].mean(axis=0)
    return cut
