"""From clips and a store to the record of their examination."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from math import isnan
from pathlib import Path

import numpy as np

from samaf.audio import Audio, read
from samaf.engine.blas import one_blas_thread
from samaf.engine.course import CourseOfMatch, whole_course
from samaf.engine.decisions import decisions
from samaf.engine.engine import Engine
from samaf.engine.options import QueryOptions
from samaf.engine.references import References
from samaf.errors import AudioError, QueryError, ReportError
from samaf.fingerprinters import Fingerprinter, ModelCard
from samaf.records import Match, QueryResult, Recording, Verification
from samaf.report import examined, record
from samaf.report.drawn import match_name
from samaf.report.pictures.signals import lag_curves
from samaf.report.pictures.spectra import Excerpt, spectrogram_pair
from samaf.report.provenance import (
    alternatives,
    command,
    entries,
    made_at,
    model,
    program,
    store_state,
)
from samaf.report.quality import quality
from samaf.text import printable
from samaf.verification.calibration import FITTED_ON, LR_LIMIT

MOST_CANDIDATES = 5
CANDIDATE_FALSE_MATCHES = 1.0  # candidates that are listed: as many are expected by chance
MOST_POINTS = 400  # of the course of a match, in the record
PICTURE_S = 30.0  # of sound in a spectrogram
MOST_PICTURED = 5  # matches of a clip whose recordings are decoded for pictures

Sink = Callable[[str, bytes], None]


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """How clips are examined.

    Attributes
    ----------
    query
        The options of the query.
    audio
        Folder of the recordings' audio; see ``Engine.query``.
    pictures
        Whether the audio of clip and recording is drawn.
    """

    query: QueryOptions = QueryOptions()
    audio: str | os.PathLike[str] | None = None
    pictures: bool = True
    language: str = "en"


def examine(
    engine: Engine,
    clips: Sequence[str | os.PathLike[str]],
    options: ReportOptions = ReportOptions(),  # noqa: B008  # frozen
    *,
    case: record.Case = record.Case(),  # noqa: B008
    pictures: Sink = lambda _name, _svg: None,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> record.Examination:
    """Examine clips: hash and decode each, measure it, ask the store for it, and say how it agrees.

    A clip that cannot be used is part of the record, with its reason. Memory does not grow with
    the length of clips; a clip adds some kilobytes to the record.

    Parameters
    ----------
    pictures
        Called with name and SVG of each picture that shows sound.
    on_progress
        Called with the clips done, and those in all.

    Raises
    ------
    QueryError
        The store belongs to a model of vectors, which decides nothing.
    ReportError
        A clip is no file, or changed while it was examined.
    """
    fingerprinter = engine.fingerprinter
    if not isinstance(fingerprinter, Fingerprinter):
        raise QueryError(
            f"{engine.store.url}: belongs to the model {fingerprinter.name}, which ranks "
            "recordings and decides nothing; report on a store of a model of hashes"
        )
    paths = [_path(clip) for clip in clips]
    state = store_state(engine)
    results = []
    with References(options.audio) as references:
        examiner = _Examiner(engine, fingerprinter, options, references, pictures)
        for number, path in enumerate(paths, 1):
            results.append(_examined(path, number, examiner))
            on_progress(number, len(paths))
    digests = sorted({f.recording.sha256 for clip in results for f in clip.matches})
    return record.Examination(
        case=case,
        made_at="" if case.issued else made_at(),
        language=options.language,
        command=command(engine, paths, options.query),
        program=program(),
        model=model(fingerprinter),
        store=state,
        settings=record.Settings(
            options.query.granularity_s,
            options.query.k,
            options.query.max_false_matches,
            options.query.search,
            options.query.population,
            engine.index_name,
            options.query.verify,
            options.query.track,
            options.query.channel,
        ),
        clips=tuple(results),
        entries=tuple(entries(engine, digests)),
    )


def _path(clip: str | os.PathLike[str]) -> Path:
    if clip == "-":
        raise ReportError("-: a report needs a file that can be read again; save the clip first")
    return Path(clip)


def _evidence(match: Match, population: str, card: ModelCard) -> tuple[examined.Evidence, ...]:
    is_fitted = all(each.calibrated for each in alternatives(card))
    against = [
        ("speech", match.score_other_speech, match.log10_lr_other_speech),
        ("text", match.score_same_text, match.log10_lr_same_text),
    ]
    if population == "prompts":
        against.reverse()
    return tuple(
        examined.Evidence(key, score, ratio if is_fitted else None) for key, score, ratio in against
    )


def _signal(verification: Verification | None) -> examined.Signal | None:
    if verification is None:
        return None
    is_exact = not isnan(verification.lag_samples)
    return examined.Signal(
        verified=verification.verified,
        score=verification.score,
        log10_lr=verification.log10_lr,
        highest=LR_LIMIT,
        z_waveform=_known(verification.z_waveform),
        z_windows=_known(verification.z_windows),
        query_start=verification.query_start,
        query_stop=verification.query_stop,
        reference_start=verification.reference_start,
        reference_stop=verification.reference_stop,
        lag_samples=_known(verification.lag_samples),
        drift_ppm=verification.drift_ppm if is_exact else None,
        inverted=verification.inverted,
        bands=tuple(f"{b.low}-{b.high} Hz" for b in verification.bands if b.coherent),
        repeats=verification.repeats,
        population=FITTED_ON,
        reason=verification.reason,
    )


def _known(value: float) -> float | None:
    return None if isnan(value) else value


# --- one clip ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Examiner:
    """What all clips of an examination have in common."""

    engine: Engine
    fingerprinter: Fingerprinter
    options: ReportOptions
    references: References
    pictures: Sink

    def query(self, path: Path, options: QueryOptions) -> QueryResult:
        """Ask the store for a clip."""
        result = self.engine.query(path, **asdict(options), audio=self.options.audio)
        assert isinstance(result, QueryResult)  # the model is one of hashes
        if result.unsearched:
            raise ReportError(
                f"{' and '.join(result.unsearched)} cannot be searched, and a report says what the "
                "whole store holds; start what is away"
            )
        return result


def _examined(path: Path, number: int, examiner: _Examiner) -> examined.Examined:
    given, options = printable(path), examiner.options.query
    try:
        with read(path, track=options.track, channel=options.channel) as audio:
            item = item_of(audio, path)
            with one_blas_thread():
                hashes = examiner.fingerprinter.hashes(audio.chunks(), audio.sha256)
            digest = hashlib.sha256(hashes.packed.tobytes()).hexdigest()
            result = examiner.query(path, options)
            if result.sha256 != item.sha256:
                raise ReportError(f"{given}: changed while it was examined; start again")
            matches = tuple(
                _found(audio, match, (number, rank), examiner)
                for rank, match in enumerate(result.matches, 1)
            )
            candidates: tuple[examined.Candidate, ...] = ()
            if not result.reason and audio.duration <= record.CANDIDATES_UP_TO_S:
                candidates = _candidates(examiner, path, result)
    except AudioError as error:
        # The path is where it is today; the reason is the same wherever it lies.
        reason = printable(str(error)).removeprefix(f"{printable(path.absolute())}: ")
        return examined.Examined(given, None, reason)
    return examined.Examined(given, item, result.reason, digest, matches, candidates)


def item_of(audio: Audio, path: Path) -> examined.Item:
    """Describe a decoded file."""
    media = audio.media
    return examined.Item(
        name=printable(path.name),
        bytes=path.stat().st_size,
        sha256=audio.sha256,
        duration=audio.duration,
        container=media.container,
        codec=media.codec,
        sample_rate=media.sample_rate,
        channels=media.channels,
        layout=media.layout,
        samples=media.samples,
        samples_sha256=media.samples_sha256,
        quality=quality(audio.chunks(), audio.peak, audio.sample_rate),
        notes=media.notes(),
    )


def _candidates(
    examiner: _Examiner, path: Path, result: QueryResult
) -> tuple[examined.Candidate, ...]:
    """List what a plain search finds beyond the limit, the nearest first."""
    options = examiner.options.query
    wider = replace(
        options,
        k=max(options.k, MOST_CANDIDATES),
        max_false_matches=CANDIDATE_FALSE_MATCHES,
        search="plain",
        verify=False,
    )
    accepted = {match.recording.recording_id for match in result.matches}
    others = [
        match
        for match in examiner.query(path, wider).matches
        if match.recording.recording_id not in accepted
    ]
    return tuple(
        examined.Candidate(
            stored(match.recording),
            match.query_start,
            match.query_stop,
            match.reference_start,
            match.reference_stop,
            match.ber,
            match.score,
        )
        for match in others[:MOST_CANDIDATES]
    )


def stored(recording: Recording) -> examined.Stored:
    """Describe a recording of the store."""
    return examined.Stored(
        recording.recording_id,
        recording.name,
        recording.sha256,
        recording.duration,
        recording.added_at,
        tuple(sorted(recording.labels.items())),
    )


# --- one match -----------------------------------------------------------------------------


def _found(
    audio: Audio, match: Match, place: tuple[int, int], examiner: _Examiner
) -> examined.Found:
    options = examiner.options
    blocks = whole_course(audio, match, examiner.engine)
    inside = (blocks.times >= match.query_start) & (blocks.times <= match.query_stop)
    state: str = "not looked at"
    names: tuple[str, ...] = ()
    if options.pictures and place[1] <= MOST_PICTURED:
        state, names = _pictured(audio, match, place, examiner)
    manipulation = match.manipulation
    return examined.Found(
        recording=stored(match.recording),
        query_start=match.query_start,
        query_stop=match.query_stop,
        reference_start=match.reference_start,
        reference_stop=match.reference_stop,
        ber=match.ber,
        score=match.score,
        evidence=_evidence(match, options.query.population, examiner.fingerprinter.card),
        alteration=examined.Alteration(
            manipulation.tau,
            manipulation.rho,
            manipulation.reversed,
            options.query.deep,
            str(manipulation),
        ),
        channel=match.channel,
        reference_channel=match.reference_channel,
        hashes=int(inside.sum()),
        agreeing=int((blocks.agreeing & inside).sum()),
        coverage=(match.query_stop - match.query_start) / max(audio.duration, 1e-9),
        audio=state,
        course=_recorded(blocks),
        signal=_signal(match.verification),
        same_text=match.same_text_warning,
        judgements=_judgements(examiner.engine, audio.sha256, match),
        pictures=names,
    )


def _judgements(engine: Engine, clip: str, match: Match) -> tuple[examined.Judgement, ...]:
    """List what people decided about a match, the newest first."""
    query = (match.query_start, match.query_stop)
    reference = (match.reference_start, match.reference_stop)
    return tuple(
        examined.Judgement(d.decision, d.name, d.comment, d.decided_at, d.entry_id)
        for d in decisions(engine.store, clip)
        if d.reference_sha256 == match.recording.sha256 and d.is_about(query, reference)
    )


def _recorded(blocks: CourseOfMatch) -> examined.Course:
    """Give the course for the record: groups of neighbors as their mean where there are many."""
    size = -(-len(blocks.times) // MOST_POINTS) or 1

    def grouped(values: np.ndarray) -> list[float]:
        cuts = range(0, len(values), size)
        groups = [values[a : a + size] for a in cuts]
        return [float(np.nanmean(g)) if (~np.isnan(g)).any() else np.nan for g in groups]

    return examined.Course(
        tuple(round(x, 3) for x in grouped(blocks.times)),
        tuple(round(x, 3) for x in grouped(blocks.reference_times)),
        tuple(round(x, 4) for x in grouped(blocks.ber)),
        tuple(None if np.isnan(x) else round(x, 4) for x in grouped(blocks.lags)),
    )


def _pictured(
    audio: Audio, match: Match, place: tuple[int, int], examiner: _Examiner
) -> tuple[str, tuple[str, ...]]:
    """Draw what needs the recording's own audio; say why not where it is not at hand."""
    try:
        recording = examiner.references.audio(match.recording)
        clip, recording = audio.side(match.channel), recording.side(match.reference_channel)
    except AudioError as error:
        return f"audio not at hand: {printable(str(error))}", ()
    drawn = {"spectra": _spectra(clip, recording, match)}
    if match.verification is not None and match.verification.curves is not None:
        drawn["signals"] = lag_curves(match.verification)
    names = tuple(match_name(*place, kind) for kind in drawn)
    for name, picture in zip(names, drawn.values(), strict=True):
        examiner.pictures(name, picture)
    return "read", names


def _spectra(audio: Audio, recording: Audio, match: Match) -> bytes:
    tau = match.manipulation.tau
    centre = (match.query_start + match.query_stop) / 2
    there = (match.reference_start + match.reference_stop) / 2
    half = min(match.query_stop - match.query_start, PICTURE_S) / 2 + 1.0
    begin, end = max(0.0, centre - half), min(audio.duration, centre + half)
    # The widest window of the recording that the clip's lies on, whichever way it runs.
    reach = max(centre - begin, end - centre) / tau
    return spectrogram_pair(
        _excerpt(audio, begin, end, match.query_start, match.query_stop, "The clip"),
        _excerpt(
            recording,
            max(0.0, there - reach),
            min(recording.duration, there + reach),
            match.reference_start,
            match.reference_stop,
            f"The recording {match.recording.name}",
        ),
        tau,
        is_reversed=match.manipulation.reversed,
    )


def _excerpt(
    audio: Audio, begin: float, end: float, start: float, stop: float, title: str
) -> Excerpt:
    first = round(begin * audio.sample_rate)
    samples = audio.part(first, round(end * audio.sample_rate) - first)
    return Excerpt(title, samples, audio.sample_rate, begin, start, stop)
