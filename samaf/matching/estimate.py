"""How a found segment was altered, beyond the grid of hypotheses.

Time: hashes of the clip every few frames are compared with the reference's hashes around
the place where they should lie. Their likeness falls off with the distance in time, so
each of them tells where it fits best between two hops, and a straight line through all
places gives offset and time factor. Pitch: the same blocks are hashed under pitch factors
on either side; likeness falls off on both sides of the true one.
"""

from __future__ import annotations

from dataclasses import replace
from math import exp, hypot, log

import numpy as np

from samaf.features import FeatureParameters, encoder_input, mfcc
from samaf.fingerprinters import Fingerprinter
from samaf.matching.alignment import Alignment, Segment
from samaf.records import Manipulation

LONGEST = 8.0  # s of a segment that are looked at, from its middle
MOST_BLOCKS = 100  # hashed for one line
PITCH_BLOCKS = 24  # hashed for one pitch factor
REACH = np.arange(-2, 3)  # hops around the expected place
NEIGHBORS_ALIKE = (0.15, 0.6)  # likeness (1 - 2 BER) of hashes a hop apart, within reason
FALL_PITCH = 0.45  # of log pitch factor in which it does
PITCHES = np.arange(-4, 5) * 0.03  # of log pitch factor
COARSE = (np.arange(-25, 26) * 0.04, np.arange(-16, 17) * 0.005)  # hops; hops a hop
FINE = (np.arange(-8, 9) * 0.005, np.arange(-10, 11) * 0.0005)
SETTLED = 0.005  # change of a log factor below which it is not worth hashing again
TIME_ERROR = 0.075  # deviation of the log time factor x square of the seconds compared
PITCH_ERROR = 0.015  # deviation of the log pitch factor x root of the seconds
SIGNIFICANT = 3.0  # deviations


def estimate(
    segment: Segment,
    manipulation: Manipulation,
    clip: np.ndarray,
    rows: np.ndarray,
    fingerprinter: Fingerprinter,
) -> tuple[Segment, Manipulation]:
    """Find the factors under which a clip fits the reference best.

    Parameters
    ----------
    segment, manipulation
        What was found, and the manipulation that the clip was hashed under.
    clip
        float32 (n,): the whole clip, in the reference's direction.
    rows
        uint8 (m, bits / 8): the reference's hashes.

    Returns
    -------
    The segment as it lies under the new manipulation, on a line of slope 1 but for what
    that leaves out: factors that are not significantly different from none are none.
    """
    seconds = min((segment.end - segment.begin) * fingerprinter.hop, LONGEST)
    if seconds < fingerprinter.block or len(rows) == 1:  # too little to measure by
        return straight(segment, manipulation)
    for _ in range(2):
        before = manipulation
        segment, manipulation = straight(
            *_aligned(segment, manipulation, clip, rows, fingerprinter)
        )
        manipulation = replace(
            manipulation, rho=_pitch(segment, manipulation, clip, rows, fingerprinter)
        )
        if (
            max(abs(log(manipulation.tau / before.tau)), abs(log(manipulation.rho / before.rho)))
            < SETTLED
        ):
            break
    return straight(segment, manipulation, simplest(manipulation, seconds))


def simplest(found: Manipulation, seconds: float) -> Manipulation:
    """Give the simplest manipulation that a segment of so many seconds does not contradict."""
    time, pitch = log(found.tau), log(found.rho)
    time_error, pitch_error = TIME_ERROR / seconds**2, PITCH_ERROR / seconds**0.5
    if abs(time) < SIGNIFICANT * time_error:
        time = 0.0
    apart = abs(pitch + time)
    if time and apart < min(SIGNIFICANT * hypot(time_error, pitch_error), abs(pitch)):
        # Speed: both tell the same, each as far as it can be trusted.
        trust = pitch_error**2 / (pitch_error**2 + time_error**2)
        time = trust * time - (1 - trust) * pitch
        pitch = -time
    elif abs(pitch) < SIGNIFICANT * pitch_error:
        pitch = 0.0
    return Manipulation(exp(time), exp(pitch), found.reversed)


def straight(
    segment: Segment, manipulation: Manipulation, target: Manipulation | None = None
) -> tuple[Segment, Manipulation]:
    """Bring a segment to the hops of another time factor; its middle stays where it lies.

    Without one, to that under which its line has slope 1.
    """
    target = target or replace(manipulation, tau=manipulation.tau / segment.alignment.slope)
    longer = manipulation.tau / target.tau
    middle = (segment.begin + segment.end) / 2
    there = segment.reference(middle)
    alignment = segment.alignment
    first = round(segment.first * longer)
    return (
        replace(
            segment,
            alignment=replace(alignment, intercept=there - middle * longer, slope=1.0),
            first=first,
            stop=first + segment.hashes,
            shift=0.0,
            begin=segment.begin * longer,
            end=segment.end * longer,
        ),
        target,
    )


def _aligned(
    segment: Segment,
    manipulation: Manipulation,
    clip: np.ndarray,
    rows: np.ndarray,
    fingerprinter: Fingerprinter,
) -> tuple[Segment, Manipulation]:
    """Fit the line again, to the places where hashes of a fine grid lie best."""
    parameters = _under(manipulation, fingerprinter)
    starts = _starts(segment, parameters, MOST_BLOCKS)
    packed = _packed(clip, starts, parameters, fingerprinter)
    at = starts / parameters.hop_frames
    expected = np.array([segment.reference(i) for i in at])
    near = np.rint(expected).astype(np.int64)[:, None] + REACH
    there = (near >= 0) & (near < len(rows))
    differing = np.bitwise_count(packed[:, None] ^ rows[np.clip(near, 0, len(rows) - 1)])
    likeness = 1 - differing.sum(axis=2) / (4 * rows.shape[1])
    apart = near - expected[:, None]
    middle = float(at.mean())
    lever = np.broadcast_to((at - middle)[:, None], near.shape)
    fall = np.broadcast_to(_falls(rows, expected)[:, None], near.shape)
    seen = likeness[there], apart[there], lever[there], fall[there]
    offset, drift = _best_line(*seen, *COARSE)
    offset, drift = _best_line(*seen, offset + FINE[0], drift + FINE[1])
    alignment = segment.alignment
    slope = alignment.slope + drift
    intercept = segment.reference(middle) + offset - slope * middle
    alignment = Alignment(
        alignment.recording_index, intercept, slope, alignment.first, alignment.stop
    )
    return replace(segment, alignment=alignment, shift=0.0), manipulation


def _falls(rows: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Give in how many hops likeness falls to 1 / e around places in a reference.

    Its own neighboring hashes tell: steady speech changes slowly.
    """
    alike = 1 - np.bitwise_count(rows[1:] ^ rows[:-1]).sum(axis=1) / (4 * rows.shape[1])
    fall = -1 / np.log(np.clip(alike, *NEIGHBORS_ALIKE))
    return np.interp(places, np.arange(len(fall)) + 0.5, fall)


def _best_line(
    likeness: np.ndarray,
    apart: np.ndarray,
    lever: np.ndarray,
    fall: np.ndarray,
    offsets: np.ndarray,
    drifts: np.ndarray,
) -> tuple[float, float]:
    """Find offset and drift whose falling-off fits all likenesses best (least squares)."""
    best, chosen = -1.0, (0.0, 0.0)
    for drift in drifts.tolist():
        left = (apart - drift * lever)[None] - offsets[:, None]
        shape = np.exp(-np.abs(left) / fall)
        # With the height free, the residual is least where this is largest.
        fit = (shape @ likeness) ** 2 / (shape**2).sum(axis=1)
        if fit.max() > best:
            best, chosen = float(fit.max()), (float(offsets[fit.argmax()]), drift)
    return chosen


def _pitch(
    segment: Segment,
    manipulation: Manipulation,
    clip: np.ndarray,
    rows: np.ndarray,
    fingerprinter: Fingerprinter,
) -> float:
    """Find the pitch factor between and around some that are tried."""
    parameters = _under(manipulation, fingerprinter)
    starts = _starts(segment, parameters, PITCH_BLOCKS)
    # Blocks that begin where a reference's hash does.
    places = np.rint([segment.reference(i / parameters.hop_frames) for i in starts])
    places = np.unique(np.clip(places, 0, len(rows) - 1)).astype(np.int64)
    shift = places - segment.alignment.intercept - segment.shift
    starts = np.rint(shift / segment.alignment.slope * parameters.hop_frames).astype(np.int64)
    likeness = np.empty(len(PITCHES))
    for number, apart in enumerate(PITCHES.tolist()):
        warped = replace(parameters, rho=manipulation.rho * exp(apart))
        packed = _packed(clip, starts, warped, fingerprinter)
        differing = np.bitwise_count(packed ^ rows[places])
        likeness[number] = 1 - differing.mean() / 4
    tried = np.arange(PITCHES[0], PITCHES[-1] + 0.0005, 0.001)
    shape = np.exp(-np.abs(PITCHES[None] - tried[:, None]) / FALL_PITCH)
    fit = (shape @ likeness) ** 2 / (shape**2).sum(axis=1)
    return manipulation.rho * exp(float(tried[fit.argmax()]))


def _under(manipulation: Manipulation, fingerprinter: Fingerprinter) -> FeatureParameters:
    return replace(fingerprinter.card.features, tau=manipulation.tau, rho=manipulation.rho)


def _starts(segment: Segment, parameters: FeatureParameters, most: int) -> np.ndarray:
    """Spread blocks over the middle of a segment: their first frames, int64 (m,)."""
    middle = (segment.begin + segment.end) / 2 * parameters.hop_frames
    longest = LONGEST / parameters.step * parameters.sample_rate
    half = min(longest, (segment.end - segment.begin) * parameters.hop_frames) / 2
    first, last = middle - half, middle + half - parameters.block_frames
    count = int(np.clip((last - first) / 5 + 1, 2, most))
    return np.unique(np.rint(np.linspace(first, last, count)).astype(np.int64))


def _packed(
    clip: np.ndarray,
    starts: np.ndarray,
    parameters: FeatureParameters,
    fingerprinter: Fingerprinter,
) -> np.ndarray:
    """Hash blocks of a clip that start at these frames, uint8 (m, bits / 8)."""
    frames = mfcc(clip, parameters)
    at = starts[:, None] + np.arange(parameters.block_frames)
    cut = frames[np.clip(at, 0, len(frames) - 1)]
    return np.packbits(fingerprinter.states(encoder_input(cut, parameters)) >= 0, axis=1)
