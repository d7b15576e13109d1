"""How a clip and a recording agree along time, block by block on the line of a match."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from samaf.audio import Audio
from samaf.engine.blas import one_blas_thread
from samaf.engine.engine import Engine
from samaf.fingerprinters import Fingerprinter, hashing
from samaf.matching.alignment import SAME_SPEECH, error_rates
from samaf.media import joined
from samaf.records import Match

AGREEING_BER = SAME_SPEECH  # blocks below it support the match
AROUND = 2  # blocks on either side that a lag is averaged over
REACH = 2  # hops on either side in which the best place is looked for
AROUND_S = 10.0  # of the clip, compared on either side of a match
SECTION_S = 60.0  # of the clip, hashed at once


@dataclass(frozen=True, slots=True, eq=False)
class CourseOfMatch:
    """Blocks of a clip on the line of a match, in the order of the clip.

    Attributes
    ----------
    times, reference_times
        float64 (n,): seconds of each block's middle in the clip and in the recording.
    ber
        float64 (n,): bit error rate of each block.
    lags
        float64 (n,): seconds that the best place of five blocks lies behind the line; nan where
        the blocks do not agree or the best place is at the end of the reach.
    """

    times: np.ndarray
    reference_times: np.ndarray
    ber: np.ndarray
    lags: np.ndarray

    @property
    def agreeing(self) -> np.ndarray:
        """bool (n,): blocks whose bit error rate supports the match."""
        return self.ber < AGREEING_BER


def course(
    samples: np.ndarray,
    start: float,
    match: Match,
    reference: np.ndarray,
    fingerprinter: Fingerprinter,
) -> CourseOfMatch:
    """Compare each block of a piece of a clip with the recording's block at its place.

    The piece is hashed as if the match's manipulation had not happened.

    Parameters
    ----------
    samples
        float32 (n,), a piece of the clip, peak-normalised.
    start
        Seconds of the clip before the piece.
    reference
        uint8 (m, bits / 8): the stored hashes of the match's recording and channel.
    """
    manipulation = match.manipulation
    tau, hop, block = manipulation.tau, fingerprinter.hop, fingerprinter.block
    forwards = np.ascontiguousarray(samples[::-1]) if manipulation.reversed else samples
    with one_blas_thread():
        # The salt only fills blocks without content, which agree with nothing.
        hashes = fingerprinter.hashes([forwards], "course", manipulation)
    middles = (np.arange(len(hashes)) * hop + block / 2) * tau
    if manipulation.reversed:
        middles = len(samples) / fingerprinter.sample_rate - middles
    times = start + middles
    centre = (match.query_start + match.query_stop) / 2
    centre_there = (match.reference_start + match.reference_stop) / 2
    direction = -1 if manipulation.reversed else 1
    there = centre_there + direction * (times - centre) / tau
    exact = (there - block / 2) / hop
    at = np.rint(exact).astype(np.int64)
    inside = (at >= 0) & (at < len(reference))
    hashes_inside, at, exact = hashes.packed[inside], at[inside], exact[inside]
    times, there = times[inside], there[inside]
    shifts = np.arange(-REACH, REACH + 1)
    rates = np.full((len(shifts), len(at)), np.nan)
    for row, shift in enumerate(shifts):
        moved = at + shift
        stored = (moved >= 0) & (moved < len(reference))
        rates[row, stored] = error_rates(hashes_inside[stored] ^ reference[moved[stored]])
    lags = hop * (_best_shift(rates) + at - exact)
    order = np.argsort(times)
    return CourseOfMatch(times[order], there[order], rates[REACH][order], lags[order])


def whole_course(audio: Audio, match: Match, engine: Engine) -> CourseOfMatch:
    """Compare a clip with a recording block by block, section by section of the clip.

    Raises
    ------
    FingerprinterError
        The store belongs to a model of vectors.
    """
    fingerprinter = hashing(engine.fingerprinter)
    audio = audio.side(match.channel)
    reference = _stored_hashes(engine, match)
    begin = max(0.0, match.query_start - AROUND_S)
    end = min(audio.duration, match.query_stop + AROUND_S)
    # A block is longer in the clip where it is slower; sections overlap by one.
    block = fingerprinter.block * match.manipulation.tau
    parts = []
    while begin < end:
        stop = min(begin + SECTION_S, end)
        first = round(begin * audio.sample_rate)
        samples = audio.part(first, round((stop + block) * audio.sample_rate) - first)
        part = course(samples, begin, match, reference, fingerprinter)
        is_last = stop >= end
        parts.append(part if is_last else _until(part, stop + block / 2))
        begin = stop
    arrays = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("times", "reference_times", "ber", "lags")
    )
    return CourseOfMatch(*arrays)


def _stored_hashes(engine: Engine, match: Match) -> np.ndarray:
    """Give the stored hashes of the side of the recording that matched, uint8 (m, bits / 8)."""
    codes = engine.store.hashes(match.recording.recording_id)
    sides = match.recording.media.sides if match.recording.media else ()
    names = ["", *map(joined, sides)]
    return codes.stream(names.index(match.reference_channel))


def _until(part: CourseOfMatch, time: float) -> CourseOfMatch:
    kept = part.times < time
    return CourseOfMatch(
        part.times[kept], part.reference_times[kept], part.ber[kept], part.lags[kept]
    )


def _best_shift(rates: np.ndarray) -> np.ndarray:
    """Find the shift of least error rate for each block and its neighbors, to parts of a hop.

    ``rates`` is float (shifts, n), nan beyond the recording.
    """
    shifts, count = rates.shape
    if not count:
        return np.empty(0)
    kernel = np.ones(2 * AROUND + 1)
    known = ~np.isnan(rates)
    filled = np.where(known, rates, 0.0)
    sums = np.array([np.convolve(row, kernel)[AROUND : AROUND + count] for row in filled])
    counts = np.array([np.convolve(row, kernel)[AROUND : AROUND + count] for row in known])
    mean = np.divide(sums, counts, out=np.ones_like(sums), where=counts > 0)
    best = mean.argmin(axis=0)
    columns = np.arange(count)
    usable = (mean[best, columns] < SAME_SPEECH) & (best > 0) & (best < shifts - 1)
    inner = np.clip(best, 1, shifts - 2)
    before, level, after = (mean[inner + step, columns] for step in (-1, 0, 1))
    bend = before - 2 * level + after
    fine = np.divide(before - after, 2 * bend, out=np.zeros(count), where=bend > 0)
    return np.where(usable, inner - shifts // 2 + np.clip(fine, -0.5, 0.5), np.nan)
