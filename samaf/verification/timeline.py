"""Recordings of one event on one time line: all measured pairs fitted at once.

Moment t of recording r is at ``start + (1 + drift) t`` of the time line, with another start
behind each jump of r. Anchors of all pairs give linear equations, which are solved by least
squares with few outliers (Tukey's weights). The first recording of a group keeps its clock:
only differences of clocks can be measured.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from samaf.verification.tracking import FEWEST, SAME_LINE, Track

USUAL_DRIFT = 2e-4  # of clocks: where too little is shared to measure it, it is about 0
LEAST_DEVIATION = 0.5 / 16_000  # s: no anchor is better than half a sample
SAME_JUMP = 4.0  # s in a recording: jumps of two pairs that are this near are one
ROUNDS = 8
OUTLIER = 6.0  # deviations
CONFIDENCE = 1.96  # standard errors either side of 95 %

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a recording without a jump.

    Attributes
    ----------
    begin, end
        Seconds of the recording.
    start
        Where on the time line moment 0 of the recording would be.
    """

    begin: float
    end: float
    start: float


@dataclass(frozen=True, slots=True)
class Placed:
    """One recording on the time line of its group.

    Attributes
    ----------
    pieces
        In the order of time; more than one where it jumps.
    drift
        By how much a second of it is longer on the time line.
    start_error, drift_error
        Half of the 95 % interval of start, in seconds, and of drift.
    residual
        Root mean square of its anchors from the time line, in seconds.
    anchors
        How many moments it shares with others.
    """

    pieces: tuple[Piece, ...]
    drift: float
    start_error: float
    drift_error: float
    residual: float
    anchors: int

    def place(self, moment: float) -> float:
        """Give where a moment of the recording is on the time line."""
        piece = next(p for p in reversed(self.pieces) if moment >= p.begin or p.begin == 0)
        return piece.start + (1 + self.drift) * moment


def timeline(durations: Mapping[int, float], tracks: Mapping[Pair, Track]) -> dict[int, Placed]:
    """Place the recordings of one group.

    Parameters
    ----------
    durations
        Seconds of each recording, by its number; the first one keeps its clock.
    tracks
        Anchors by pair; all recordings are connected by them.
    """
    jumps = _jumps(list(durations), tracks)
    solved = _Solved(list(durations), tracks, jumps)
    while bare := solved.unsupported():
        number, piece = bare
        del jumps[number][max(0, piece - 1)]
        solved = _Solved(list(durations), tracks, jumps)

    placed = {}
    for number, duration in durations.items():
        edges = [0.0, *jumps[number], duration]
        starts = [solved.starts[number, piece] for piece in range(len(edges) - 1)]
        inside = solved.inside(number)
        placed[number] = Placed(
            _joined(map(Piece, edges[:-1], edges[1:], starts)),
            solved.drifts[number],
            solved.start_errors[number],
            solved.drift_errors[number],
            float(np.sqrt(np.mean(np.square(inside)))) if len(inside) else 0.0,
            len(inside),
        )
    return placed


class _Solved:
    """Starts of all pieces and drifts of all recordings, from all anchors at once.

    Attributes
    ----------
    starts
        By recording and number of the piece.
    drifts, start_errors, drift_errors
        By recording; errors are half of the 95 % intervals.
    """

    def __init__(
        self,
        numbers: Sequence[int],
        tracks: Mapping[Pair, Track],
        jumps: Mapping[int, Sequence[float]],
    ) -> None:
        pieces = [(n, piece) for n in numbers for piece in range(len(jumps[n]) + 1)]
        self._columns = {piece: column for column, piece in enumerate(pieces)}
        drifts = {number: len(pieces) + k for k, number in enumerate(numbers)}
        width = len(pieces) + len(drifts)
        owners, rows, values = [], [], []
        for (one, other), track in tracks.items():
            for first, second in zip(track.first.tolist(), track.second.tolist(), strict=True):
                row = np.zeros(width)
                for number, moment, sign in ((one, first, 1.0), (other, second, -1.0)):
                    piece = int(np.searchsorted(jumps[number], moment))
                    row[self._columns[number, piece]] += sign
                    row[drifts[number]] += sign * moment
                owners.append((one, other))
                rows.append(row)
                values.append(second - first)
        self._owners, self._matrix = np.array(owners), np.array(rows)
        reference = self._columns[numbers[0], 0], drifts[numbers[0]]
        kept = [column for column in range(width) if column not in reference]
        solution, errors, self._residuals = _fitted(
            self._matrix[:, kept], np.array(values), np.array([c >= len(pieces) for c in kept])
        )
        x, e = np.zeros(width), np.zeros(width)
        x[kept], e[kept] = solution, errors
        self.starts = {piece: float(x[column]) for piece, column in self._columns.items()}
        self.drifts = {number: float(x[column]) for number, column in drifts.items()}
        self.start_errors = {n: float(e[self._columns[n, 0]]) for n in numbers}
        self.drift_errors = {number: float(e[column]) for number, column in drifts.items()}

    def unsupported(self) -> tuple[int, int] | None:
        """Give a piece beside others that too few anchors tell of: nothing places it."""
        support = (self._matrix[np.isfinite(self._residuals)] != 0).sum(axis=0)
        several = {number for number, piece in self._columns if piece}
        for (number, piece), column in self._columns.items():
            if number in several and support[column] < FEWEST:
                return number, piece
        return None

    def inside(self, number: int) -> np.ndarray:
        """Give the residuals of a recording's anchors, in seconds, without outliers."""
        mine = self._residuals[(self._owners == number).any(axis=1)]
        return mine[np.isfinite(mine)]


def _joined(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """Join pieces between which nothing jumps: all pairs together show that the other one did."""
    kept: list[Piece] = []
    for piece in pieces:
        if kept and abs(piece.start - kept[-1].start) < SAME_LINE:
            kept[-1] = replace(kept[-1], end=piece.end)
        else:
            kept.append(piece)
    return tuple(kept)


def _fitted(
    matrix: np.ndarray, target: np.ndarray, is_drift: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Solve by least squares with Tukey's weights.

    Gives solution, half of its 95 % intervals, and residuals: nan for outliers. Drifts are
    drawn towards 0 as far as little speaks against it.
    """
    scale = np.where(is_drift, 1 / 1000.0, 1.0)  # both about as large as milliseconds of a row
    scaled = matrix * scale
    prior = np.diag(np.where(is_drift, scale / USUAL_DRIFT, 0.0))
    weights = np.ones(len(target))
    deviation = LEAST_DEVIATION
    for _ in range(ROUNDS):
        ridge = prior * deviation
        root = np.sqrt(weights)
        whole = np.concatenate([scaled * root[:, None], ridge])
        right = np.concatenate([target * root, np.zeros(len(ridge))])
        solution = np.linalg.lstsq(whole, right, rcond=None)[0]
        off = target - scaled @ solution
        deviation = max(1.4826 * float(np.median(np.abs(off))), LEAST_DEVIATION)
        weights = np.square(np.clip(1 - np.square(off / (OUTLIER * deviation)), 0, None))
    inverse = np.linalg.pinv(whole.T @ whole)
    errors = CONFIDENCE * deviation * np.sqrt(np.maximum(np.diag(inverse), 0)) * scale
    return solution * scale, errors, np.where(weights > 0, off, np.nan)


def _jumps(numbers: Sequence[int], tracks: Mapping[Pair, Track]) -> dict[int, list[float]]:
    """Tell which recordings jump, and when: those that explain most jumps of pairs.

    Of a jump that one pair alone shows, the recording given later is taken for the one that
    jumps.
    """
    seen = []  # of each jump: (recording, moment) twice
    for (one, other), track in tracks.items():
        for k in np.flatnonzero(np.diff(track.piece)):
            here, there = track.first[k : k + 2].mean(), track.second[k : k + 2].mean()
            seen.append(((one, float(here)), (other, float(there))))
    jumps: dict[int, list[float]] = defaultdict(list)
    while seen:
        best: list[int] = []
        chosen = (numbers[-1], 0.0)
        for number, moment in sorted(
            {side for sides in seen for side in sides}, key=lambda s: -numbers.index(s[0])
        ):
            explained = [
                i
                for i, sides in enumerate(seen)
                if any(n == number and abs(m - moment) < SAME_JUMP for n, m in sides)
            ]
            if len(explained) > len(best):
                best, chosen = explained, (number, moment)
        mine = [m for i in best for n, m in seen[i] if n == chosen[0]]
        moments = sorted(m for m in mine if abs(m - chosen[1]) < SAME_JUMP)
        jumps[chosen[0]].append(moments[len(moments) // 2])
        seen = [s for i, s in enumerate(seen) if i not in set(best)]
    return {number: sorted(jumps[number]) for number in numbers}
