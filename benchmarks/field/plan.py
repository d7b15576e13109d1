"""Who is queried, who is stored, and who only talks in the background.

Some speakers of the split talk in the babble: nothing of them is stored or queried. All others
are stored, with the speech of the other splits; that of the test split only where it is queried.
Every clip is queried in the whole store, and again as if some recordings had never been stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import zip_longest

from benchmarks.errors import BenchmarkError
from benchmarks.field.draws import Draws
from benchmarks.field.excerpts import recording_name
from samaf.training.corpora import Clip, Corpus

BABBLE_SHARE = 1 / 6  # of the split's speakers
LEAST_SPEAKERS = 6
# What a store lacks for a query: nothing; all of its speaker; all of its collection, which
# may share its text, and of its speaker; the same but for the recording itself.
STORED, NO_SPEAKER, NO_SOURCE, NO_OTHERS = WITHOUT = ("", "speaker", "source", "others")
WHOLE = "whole"  # how a command calls the store that lacks nothing


@dataclass(frozen=True, slots=True)
class Probe:
    """A recording to ask about."""

    name: str
    clip: Clip


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run asks and stores.

    Attributes
    ----------
    probes
        Speaker after speaker, so that the first n are of as many speakers as there are.
    voices
        Clips of the babble.
    stored
        What the store holds, by name.
    """

    probes: tuple[Probe, ...]
    voices: tuple[Clip, ...]
    stored: Mapping[str, Clip]

    @property
    def digest(self) -> str:
        """SHA-256 over what is stored, 16 digits."""
        return sha256("\n".join(self.stored).encode("utf-8", "backslashreplace")).hexdigest()[:16]


def collection(clip: Clip) -> str:
    """Name the collection that a clip is from, without what else the clip was taken from."""
    return clip.source.partition(" + ")[0]


def plan(corpora: Sequence[Corpus], split: str, seed: int) -> Plan:
    """Deal the speakers of a split.

    Raises
    ------
    BenchmarkError
        The split has too few speakers.
    """
    of_speaker: dict[str, list[Probe]] = {}
    stored: dict[str, Clip] = {}
    splits = dict.fromkeys(("train", "validation", split))
    for corpus in corpora:
        for clip in corpus.select("speech", *splits):
            name = recording_name(clip.path)
            stored[name] = clip
            if clip.split == split:
                of_speaker.setdefault(clip.speaker or name, []).append(Probe(name, clip))
    speakers = sorted(of_speaker)
    if len(speakers) < LEAST_SPEAKERS:
        raise BenchmarkError(
            f"--split {split}: {len(speakers)} speakers are too few; name a corpus with "
            f"{LEAST_SPEAKERS} or more in it"
        )
    Draws(str(seed), "speakers").rng.shuffle(speakers)
    talkers = max(2, round(BABBLE_SHARE * len(speakers)))
    voices = [probe for speaker in speakers[:talkers] for probe in of_speaker[speaker]]
    for probe in voices:
        del stored[probe.name]
    ordered = [of_speaker[speaker] for speaker in speakers[talkers:]]
    for speaker, probes in zip(speakers[talkers:], ordered, strict=True):
        Draws(str(seed), speaker).rng.shuffle(probes)
    turns = zip_longest(*ordered)
    return Plan(
        tuple(probe for turn in turns for probe in turn if probe),
        tuple(probe.clip for probe in voices),
        stored,
    )
