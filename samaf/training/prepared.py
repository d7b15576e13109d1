"""What the prepared data of both families share: folder, sounds, generator, table."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import filelock
import numpy as np

from samaf.audio import SAMPLE_RATE, load
from samaf.errors import AudioError, CorpusError
from samaf.files import save_arrays
from samaf.training.corpora import UNREADABLE_SHARE, Clip, Corpus

MATERIAL_CLIPS = 800  # sounds of a kind that a process holds: about 10 s each, 0.5 GB
TABLE = "table.npz"  # written last: a folder that has it is whole


def folder_name(fields: dict[str, Any]) -> str:
    """Name a folder after its split and a digest over all that its data depend on."""
    text = json.dumps(fields, sort_keys=True)
    return f"{fields['split']}-{sha256(text.encode()).hexdigest()[:16]}"


def make_once(path: Path, make: Callable[[], None]) -> None:
    """Call ``make``, which writes ``path`` last, unless it is there.

    Of several processes that share a folder one makes it and the others wait: nobody writes
    to files that another one reads.
    """
    if path.is_file():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(path.with_suffix(".lock")):
        if not path.is_file():  # nobody made it in the meantime
            make()


def clip_generator(seed: int, clip: Clip, number: int = 0) -> np.random.Generator:
    """Make the generator of one copy of a clip, which no other clip and no order changes."""
    text = f"{seed} {number} {clip.path.name} {clip.speaker}"
    digest = sha256(text.encode("utf-8", "surrogateescape")).digest()
    return np.random.default_rng(np.frombuffer(digest, np.uint32))


def load_sounds(clips: Sequence[Clip], rate: int = SAMPLE_RATE) -> list[np.ndarray]:
    """Decode clips that serve for distorting; unreadable ones are left out.

    Of more than 800, 800 spread over all are taken.
    """
    found = []
    for clip in clips[:: -(-len(clips) // MATERIAL_CLIPS) or 1]:
        try:
            found.append(load(clip.path, rate))
        except AudioError:
            continue
    return found


def check_readable(corpus: Corpus, clips: Sequence[Clip], unreadable: Sequence[str]) -> None:
    """Raise `CorpusError` where more than 5 % of the clips cannot be read."""
    if len(unreadable) > UNREADABLE_SHARE * len(clips):
        raise CorpusError(
            f"{corpus.root}: {len(unreadable)} of {len(clips)} clips cannot be read "
            f"({unreadable[0]} first); repair or remove them"
        )


def write_table(
    home: Path, counts: Sequence[Sequence[int]], skipped: Sequence[str], **more: Any
) -> None:
    """Write where each version of each clip begins and how long it is, and what else is given.

    Parameters
    ----------
    counts
        Frames of the versions of each clip, in the order in which they lie in the file.
    skipped
        Reasons of clips that are left out.
    """
    lengths = np.array(counts, np.int64)
    ends = np.cumsum(lengths.ravel()).reshape(lengths.shape)
    save_arrays(
        home / TABLE,
        starts=ends - lengths,
        counts=lengths,
        skipped=np.array(skipped, dtype=str),
        **more,
    )
