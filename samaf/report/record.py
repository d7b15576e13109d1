"""The record of an examination: everything that a report says, as plain values.

Pages, pictures and exports are made from it and from nothing else, so it can be read again,
compared and checked. Times are seconds, levels are dB relative to full scale, figures keep all
digits. ``docs/report-schema.json`` is its schema (`samaf.report.schema`).
"""

from __future__ import annotations

from dataclasses import dataclass

from samaf.report.examined import Examined

FORMAT = 1
KIND = "samaf examination"
CANDIDATES_UP_TO_S = 600.0  # of a clip: a longer one would be decoded and hashed once more


@dataclass(frozen=True, slots=True)
class Case:
    """The administrative part, from the case file; what is not given is empty.

    Attributes
    ----------
    state
        "draft" or "reviewed".
    received, done, issued
        Dates as they were written, ISO 8601 where the case file holds dates.
    population
        The relevant population, in the examiner's words.
    """

    title: str = ""
    number: str = ""
    version: str = ""
    state: str = "draft"
    laboratory: str = ""
    customer: str = ""
    case: str = ""
    examiner: str = ""
    reviewer: str = ""
    received: str = ""
    done: str = ""
    issued: str = ""
    question: str = ""
    population: str = ""
    deviations: str = ""
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Program:
    """Versions of what computed the results."""

    samaf: str
    python: str
    numpy: str
    onnxruntime: str
    av: str
    ffmpeg: str
    system: str


@dataclass(frozen=True, slots=True)
class Alternative:
    """One alternative to "the clip comes from this recording", and how a model is calibrated to it.

    Attributes
    ----------
    key
        "speech" for other speech, "text" for other voices with the same text too.
    text
        The proposition, as a sentence without its full stop.
    scores
        What the scores against it were fitted to; empty where they were not.
    lowest, highest
        The most extreme log10 likelihood ratios that its calibration supports.
    population
        What the ratios were fitted to; empty where they were not.
    """

    key: str
    text: str
    scores: str
    lowest: float
    highest: float
    population: str

    @property
    def calibrated(self) -> bool:
        """Whether there is a likelihood ratio against it."""
        return bool(self.population)


@dataclass(frozen=True, slots=True)
class ValidatedLength:
    """How queries of one length fared in the validation.

    Attributes
    ----------
    seconds
        Length of the clips.
    true, false
        Queries whose recording was stored, and was not.
    hit_rate
        Share of the true ones that were answered with the right recording and place.
    cllr
        Cost of the log likelihood ratios; 0 is perfect, 1 is no information.
    true_scores, false_scores
        Scores in ascending order, or evenly spaced quantiles of them.
    """

    seconds: float
    true: int
    false: int
    hit_rate: float | None = None
    cllr: float | None = None
    true_scores: tuple[float, ...] = ()
    false_scores: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Validation:
    """How the model's decision was validated, from the model card.

    Attributes
    ----------
    population
        What was queried.
    simulated
        Whether the damage to the clips was simulated.
    conditions
        Names of the kinds of damage.
    voices
        Different voices, 0 where unknown.
    true_lrs, false_lrs
        log10 likelihood ratios in ascending order, or evenly spaced quantiles of them.
    """

    population: str
    simulated: bool = True
    conditions: tuple[str, ...] = ()
    voices: int = 0
    true: int = 0
    false: int = 0
    cllr: float | None = None
    cllr_min: float | None = None
    lengths: tuple[ValidatedLength, ...] = ()
    true_lrs: tuple[float, ...] = ()
    false_lrs: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Model:
    """The model, how its scores are calibrated, and how that was validated."""

    name: str
    digest: str
    bits: int
    hop: float
    block: float
    alternatives: tuple[Alternative, ...]
    validation: Validation | None = None


@dataclass(frozen=True, slots=True)
class StoreState:
    """What was searched.

    Attributes
    ----------
    name
        File name, or URL without password.
    audit_entry, audit_hash, audit_time, audit_act
        The newest entry of the audit log that changed recordings; 0 and empty without one.
    """

    store_id: str
    name: str
    revision: int
    recordings: int
    hours: float
    hashes: int
    audit_entry: int = 0
    audit_hash: str = ""
    audit_time: str = ""
    audit_act: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of the query.

    Attributes
    ----------
    population
        "speech" or "prompts": which alternative decides.
    track, channel
        Of the clips, where they were chosen, from 1.
    """

    granularity_s: int
    k: int
    max_false_matches: float
    search: str
    population: str
    index: str
    verify: bool
    track: int | None
    channel: int | None


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An entry of the store's audit log about a recording in this report."""

    entry_id: int
    happened_at: str
    act: str
    sha256: str
    program: str
    hash: str


@dataclass(frozen=True, slots=True)
class Examination:
    """The whole record.

    Attributes
    ----------
    made_at
        UTC time of the report; empty where the case file says when it was issued.
    command
        What repeats the examination.
    entries
        Audit entries about the recordings that were found.
    """

    case: Case
    made_at: str
    language: str
    command: str
    program: Program
    model: Model
    store: StoreState
    settings: Settings
    clips: tuple[Examined, ...]
    entries: tuple[LogEntry, ...] = ()
    kind: str = KIND
    format: int = FORMAT

    @property
    def expected_false(self) -> float:
        """Expected false matches of the whole batch: the limit of each query, summed."""
        searched = sum(clip.item is not None and not clip.reason for clip in self.clips)
        return searched * self.settings.max_false_matches
