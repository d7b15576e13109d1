"""Who is asked about, who is stored, and who only talks in the background.

The speakers of the split are dealt once: some to the babble, of whom nothing is stored or
asked; the others to two sides. There are two stores. Each lacks the speakers of one side, so
every clip is asked twice: in one store its recording is there, in the other nothing of its
speaker is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import zip_longest

from benchmarks.errors import BenchmarkError
from benchmarks.field.draws import Draws
from benchmarks.field.excerpts import recording_name
from samaf.training.corpora import Clip, Corpus

BABBLE_SHARE = 1 / 6  # of the split's speakers
LEAST_SPEAKERS = 6
SIDES = (0, 1)


@dataclass(frozen=True, slots=True)
class Probe:
    """A recording to ask about; its side is stored in the store of the same number."""

    name: str
    clip: Clip
    side: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run asks and stores.

    Attributes
    ----------
    probes
        Speaker after speaker, so that the first n are of as many speakers as there are.
    voices
        Clips of the babble.
    common
        What both stores hold: the speech of the other splits.
    sides
        What each store holds besides.
    """

    probes: tuple[Probe, ...]
    voices: tuple[Clip, ...]
    common: tuple[Clip, ...]
    sides: tuple[tuple[Clip, ...], tuple[Clip, ...]]

    @property
    def digest(self) -> str:
        """SHA-256 over what is stored, 16 digits."""
        parts = [recording_name(c.path) for c in self.common]
        parts += [f"{side} {recording_name(c.path)}" for side in SIDES for c in self.sides[side]]
        return sha256("\n".join(parts).encode("utf-8", "backslashreplace")).hexdigest()[:16]


def plan(corpora: Sequence[Corpus], split: str, seed: int) -> Plan:
    """Deal the speakers of a split.

    Raises
    ------
    BenchmarkError
        The split has too few speakers.
    """
    of_speaker: dict[str, list[Probe]] = {}
    common: list[Clip] = []
    for corpus in corpora:
        for clip in corpus.select("speech", "train", "validation", "test"):
            if clip.split == split:
                name = recording_name(clip.path)
                speaker = clip.speaker or name
                of_speaker.setdefault(speaker, []).append(Probe(name, clip, 0))
            else:
                common.append(clip)
    speakers = sorted(of_speaker)
    if len(speakers) < LEAST_SPEAKERS:
        raise BenchmarkError(
            f"--split {split}: {len(speakers)} speakers are too few; name a corpus with "
            f"{LEAST_SPEAKERS} or more in it"
        )
    Draws(str(seed), "speakers").rng.shuffle(speakers)
    talkers = max(2, round(BABBLE_SHARE * len(speakers)))
    dealt = speakers[talkers:]
    sides: tuple[list[Clip], list[Clip]] = ([], [])
    ordered: list[list[Probe]] = []
    for number, speaker in enumerate(dealt):
        side = SIDES[number % 2]
        probes = [Probe(p.name, p.clip, side) for p in of_speaker[speaker]]
        sides[side].extend(p.clip for p in probes)
        Draws(str(seed), speaker).rng.shuffle(probes)
        ordered.append(probes)
    turns = zip_longest(*ordered)
    return Plan(
        tuple(probe for turn in turns for probe in turn if probe),
        tuple(p.clip for speaker in speakers[:talkers] for p in of_speaker[speaker]),
        tuple(common),
        (tuple(sides[0]), tuple(sides[1])),
    )
