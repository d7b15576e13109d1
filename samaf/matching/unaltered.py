"""How well a clip fits a recording as it is: laid on it to a few samples, at its level there.

Two things part the hashes of an untouched excerpt from those of its recording. It begins between
two hops. And both are normalised to their own peak, so that an excerpt without the recording's
loudest moment lies higher above the floor of the mel bands than it does there. Where only the
hashes of the recording are at hand, place and level are tried; where its samples are, its own
stretch is cut and levelled as the clip is, and nothing parts them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from samaf.features import mfcc
from samaf.fingerprinters import Fingerprinter
from samaf.matching.alignment import Segment
from samaf.matching.boundaries import BLOCK_HOPS

LONGEST = 8.0  # s of a segment that are looked at, from its middle
FITS = 0.004  # bit error rate from which nothing more is looked for
HOPELESS = 0.35  # bit error rate at the best frame, beyond which nothing is refined
SHORT_SECONDS, PLACES = 3.0, 3  # of a segment, and the frames around which it is looked closer
MOST_BLOCKS = 12  # hashed for each place and level that is tried
COARSE_FRAMES = 3  # between the places that are tried first
# Around a frame, of 160 samples: one of them off, some bits differ already.
SAMPLES = (range(-120, 121, 6), range(-4, 5))
LEVELS_DB = (3.0, 1.5, 0.75)  # between the levels that are tried
MOST_DB = 24.0
REACH_SAMPLES = 8000  # either side of where a clip is laid, in which it may lie


def fitted(
    segment: Segment, clip: np.ndarray, rows: np.ndarray, fingerprinter: Fingerprinter
) -> tuple[Segment, float]:
    """Find the place and the level at which an unaltered clip fits best.

    Parameters
    ----------
    segment
        Where it lies, within a hop.
    clip
        float32 (n,): the whole clip, peak-normalised.
    rows
        uint8 (m, bits / 8): the reference's hashes.

    Returns
    -------
    The segment on a line of slope 1, and the bit error rate over the blocks of the reference
    that the clip holds whole. 1 where there is none that holds something to recognise.
    """
    parameters = fingerprinter.card.features
    hop = parameters.hop_frames
    middle = (segment.begin + segment.end) / 2
    line = _Line(segment.reference(middle) - middle, segment.begin, segment.end)
    trial = _Trial(clip, rows, line, fingerprinter)
    reach = hop // 2
    if (segment.end - segment.begin) * fingerprinter.hop < SHORT_SECONDS:
        # Few blocks fit well at many places.
        best = sorted(range(-reach, reach + 1), key=trial.rate)[:PLACES]
    else:
        coarse = min(range(-reach, reach + 1, COARSE_FRAMES), key=trial.rate)
        near = range(coarse - COARSE_FRAMES + 1, coarse + COARSE_FRAMES)
        best = [min(near, key=trial.rate)]
    if trial.rate(best[0]) > HOPELESS:
        return segment, 1.0
    frame, level = float(best[0]), 0.0
    for start in best:
        frame = min(frame, trial.best_frame(start, 0.0), key=trial.rate)
        if trial.rate(frame) <= FITS:
            break
    else:
        # At its own level a clip may fit best elsewhere than at that of the recording.
        level = trial.best_level(frame)
        if level and trial.rate(frame, level) > FITS:
            frame = trial.best_frame(frame, level)
            level = trial.best_level(frame)
    ber = trial.rate(frame, level, whole=True)
    intercept = line.intercept - frame / hop
    alignment = replace(segment.alignment, intercept=intercept, slope=1.0)
    return replace(segment, alignment=alignment, shift=0.0), ber


def laid(
    segment: Segment, clip: np.ndarray, recording: np.ndarray, fingerprinter: Fingerprinter
) -> tuple[Segment, float]:
    """Lay an unaltered clip on the samples of a recording, where both correlate best.

    Parameters
    ----------
    segment
        Where it lies, within two hops.
    clip, recording
        float32 (n,): all of each, at any level.

    Returns
    -------
    The segment on a line of slope 1, and the bit error rate between what both hold of it, cut at
    the same sample and at one level. 1 where that holds nothing to recognise.
    """
    parameters = fingerprinter.card.features
    hop = parameters.hop_frames * parameters.step
    middle = (segment.begin + segment.end) / 2
    expected = round((segment.reference(middle) - middle) * hop)
    first, stop = max(0, round(segment.begin * hop)), min(len(clip), round(segment.end * hop))
    longest = round(LONGEST * parameters.sample_rate)
    early = max(first, (first + stop - longest) // 2)
    place = expected + _lag(clip[early : min(stop, early + longest)], recording, early + expected)
    first, stop = max(first, -place), min(stop, len(recording) - place)
    one, other = clip[first:stop], recording[max(0, first + place) : max(0, stop + place)]
    if not (one.any() and other.any()):
        return segment, 1.0
    level = np.float32(np.linalg.norm(one) / np.linalg.norm(other))
    peak = np.abs(one).max()
    codes = [fingerprinter.hashes([part], "") for part in (one / peak, other * (level / peak))]
    counted = codes[0].informative & codes[1].informative
    if not counted.any():
        return segment, 1.0
    differing = np.bitwise_count(codes[0].packed ^ codes[1].packed)[counted]
    alignment = replace(segment.alignment, intercept=place / hop, slope=1.0)
    # No further than both reach.
    begin, end = first / hop, stop / hop
    whole = replace(segment, alignment=alignment, shift=0.0, begin=begin, end=end)
    return whole, float(differing.mean() / 8)


def _lag(stretch: np.ndarray, recording: np.ndarray, expected: int) -> int:
    """Find how many samples behind ``expected`` a stretch correlates best with a recording."""
    reach = REACH_SAMPLES
    around = np.zeros(len(stretch) + 2 * reach, np.float32)
    first, stop = max(0, expected - reach), max(0, expected - reach + len(around))
    there = recording[first:stop]
    at = first - (expected - reach)
    around[at : at + len(there)] = there
    size = 1 << (len(around) - 1).bit_length()
    spectrum = np.fft.rfft(around, size) * np.fft.rfft(stretch, size).conj()
    products = np.abs(np.fft.irfft(spectrum, size)[: 2 * reach + 1])
    energies = np.concatenate([[0.0], np.cumsum(np.square(around, dtype=np.float64))])
    energies = energies[len(stretch) :][: 2 * reach + 1] - energies[: 2 * reach + 1]
    # Where little is left, so is the likeness.
    least = 1e-3 * max(float(energies.max()), 1e-12)
    return int(np.argmax(products / np.sqrt(np.maximum(energies, least)))) - reach


def as_it_is(segment: Segment, tau: float) -> Segment:
    """Give the same segment in hops of the clip as it is, of one found under a time factor.

    The middles stay where they lie: those of clip and recording.
    """
    middle = (segment.begin + segment.end) / 2
    there = segment.reference(middle - BLOCK_HOPS / 2) + BLOCK_HOPS / 2
    alignment = replace(segment.alignment, intercept=there - middle * tau, slope=1.0)
    begin, end = segment.begin * tau, segment.end * tau
    return replace(segment, alignment=alignment, shift=0.0, begin=begin, end=end)


@dataclass(frozen=True, slots=True)
class _Line:
    """Query hop i lies on reference hop ``intercept + i``; the segment is ``begin`` to ``end``."""

    intercept: float
    begin: float
    end: float


class _Trial:
    """Bit error rates of a clip at places and levels."""

    def __init__(
        self, clip: np.ndarray, rows: np.ndarray, line: _Line, fingerprinter: Fingerprinter
    ) -> None:
        parameters = fingerprinter.card.features
        self._fingerprinter, self._parameters = fingerprinter, parameters
        self._clip, self._rows, self._line = clip, rows, line
        reach = LONGEST / fingerprinter.hop / 2
        middle = (line.begin + line.end) / 2
        self._bounds = {
            False: (max(line.begin, middle - reach), min(line.end, middle + reach)),
            True: (line.begin, line.end),
        }
        self._known: dict[tuple[float, float], float] = {}

    def rate(self, frame: float, level: float = 0.0, *, whole: bool = False) -> float:
        """Give the rate where the clip begins ``frame`` frames earlier, ``level`` dB louder.

        Parameters
        ----------
        whole
            Over the whole segment instead of some blocks from its middle.
        """
        key = (frame, level)
        if whole:
            return self._measured(frame, level, whole=True)
        if key not in self._known:
            self._known[key] = self._measured(frame, level, whole=False)
        return self._known[key]

    def best_frame(self, frame: float, level: float) -> float:
        """Find the frame around one where the rate is least, to the sample."""
        step = self._parameters.step
        frame = self._on_sample(frame)
        for apart in SAMPLES:
            best = frame
            # From the middle out: of equal ones that nearest to where the search began.
            for shift in sorted(apart, key=abs):
                at = self._on_sample(frame + shift / step)
                if self.rate(at, level) < self.rate(best, level):
                    best = at
                if self.rate(best, level) <= FITS:
                    return best
            frame = best
        return frame

    def _on_sample(self, frame: float) -> float:
        """Move a frame so that blocks begin on a sample."""
        step, hop = self._parameters.step, self._parameters.hop_frames
        offset = (self._line.intercept * hop) * step
        return (round(frame * step - offset) + offset) / step

    def best_level(self, frame: float) -> float:
        """Find the level of least rate: over the whole range, then between, dB."""
        wide = np.arange(-MOST_DB, MOST_DB + 1, LEVELS_DB[0])
        # Of equal ones that nearest to the clip's own, where no band lies near the floor.
        level = float(min(wide, key=lambda at: (self.rate(frame, at), abs(at))))
        for step in LEVELS_DB[1:]:
            near = (level, level - step, level + step)
            level = min(near, key=lambda at: self.rate(frame, at))
        return level

    def _measured(self, frame: float, level: float, *, whole: bool) -> float:
        parameters = self._parameters
        hop, size = parameters.hop_frames, parameters.block_frames
        begin, end = self._bounds[whole]
        # The reference's hashes whose blocks lie inside the segment, and inside the clip.
        first = int(np.ceil(begin + self._line.intercept - frame / hop - 1e-9))
        last = int(np.floor(end - size / hop + self._line.intercept - frame / hop + 1e-9))
        places = np.arange(max(0, first), min(len(self._rows) - 1, last) + 1)
        starts = (places - self._line.intercept) * hop + frame
        samples = np.rint(starts * parameters.step).astype(np.int64)
        length = (size - 1) * parameters.step + parameters.window
        inside = (samples >= 0) & (samples + length <= len(self._clip) + parameters.window)
        places, samples = places[inside], samples[inside]
        if not whole and len(places) > MOST_BLOCKS:
            chosen = np.linspace(0, len(places) - 1, MOST_BLOCKS).round().astype(np.int64)
            places, samples = places[chosen], samples[chosen]
        if not len(places):
            return 1.0
        origin = samples[0]
        part = self._clip[origin : samples[-1] + length] * np.float32(10 ** (level / 20))
        frames = mfcc(part, parameters)
        at = (samples - origin)[:, None] // parameters.step + np.arange(size)
        cut = frames[np.clip(at, 0, len(frames) - 1)]
        hashes = self._fingerprinter.hash_blocks(cut, "")
        counted = hashes.informative
        if not counted.any():
            return 1.0
        return float(np.bitwise_count(hashes.packed ^ self._rows[places])[counted].mean() / 8)
