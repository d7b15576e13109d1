"""Corpora: lists of clips with speaker, split and kind."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from samaf.audio import audio_files
from samaf.errors import CorpusError

UNREADABLE_SHARE = 0.05  # of the clips of a manifest; beyond that the corpus is refused
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class Clip:
    """One clip of a corpus; ``kind`` is speech, music, noise or rir.

    ``noisy`` is the same clip recorded with noise, where the corpus has one. ``source`` names
    the data set it comes from; ``joined`` clips are short utterances of one speaker in a row.
    """

    path: Path
    kind: str
    split: str
    speaker: str
    recording: str
    language: str = ""
    licence: str = ""
    noisy: Path | None = None
    source: str = ""
    joined: bool = False


@dataclass(frozen=True, slots=True)
class Corpus:
    """Clips in a fixed order, the rows without a file, and a digest of the list.

    ``further`` are the folders behind the first one where several corpora are read as one.
    """

    root: Path
    clips: tuple[Clip, ...]
    missing: tuple[str, ...] = ()
    further: tuple[Path, ...] = ()

    def select(self, kind: str, *splits: str) -> tuple[Clip, ...]:
        """Give the clips of one kind in any of the splits."""
        return tuple(c for c in self.clips if c.kind == kind and c.split in splits)

    @property
    def digest(self) -> str:
        """SHA-256 over the relative paths, kinds and splits of all clips."""
        roots = (self.root, *self.further)
        homes = (next(r for r in roots if c.path.is_relative_to(r)) for c in self.clips)
        rows = (
            f"{c.path.relative_to(home)}\t{c.kind}\t{c.split}\n"
            for c, home in zip(self.clips, homes, strict=True)
        )
        return sha256("".join(rows).encode("utf-8", "surrogateescape")).hexdigest()


def default_root() -> Path:
    """Give the folder in SAMAF_CORPUS, else ``../shared/corpus``."""
    return Path(os.environ.get("SAMAF_CORPUS", "../shared/corpus"))


def open_corpora(roots: Sequence[Path]) -> Corpus:
    """Read one corpus or several as one; see `open_corpus`.

    Of several, speakers and recordings carry the number of their corpus, since two corpora may
    give the same name to different ones.

    Raises
    ------
    CorpusError
        One of them cannot be used, or is given twice.
    """
    if len(roots) == 1:
        return open_corpus(roots[0])
    resolved = [root.resolve() for root in roots]
    for number, root in enumerate(roots):
        if any(r == resolved[number] for r in resolved[:number]):
            raise CorpusError(f"{root}: is given twice; give each corpus once")
    corpora = [open_corpus(root) for root in roots]
    clips = tuple(
        replace(
            clip,
            speaker=f"{number}/{clip.speaker}" if clip.speaker else "",
            recording=f"{number}/{clip.recording}",
        )
        for number, corpus in enumerate(corpora)
        for clip in corpus.clips
    )
    missing = tuple(path for corpus in corpora for path in corpus.missing)
    return Corpus(roots[0], clips, missing, tuple(roots[1:]))


def open_corpus(root: Path) -> Corpus:
    """Read a corpus: a folder with ``manifest.csv``, VoxCeleb1, LibriSpeech, or any folder.

    The noisy speech database of Valentini-Botinhao (U-Net paper, section 3.1) is the folder
    that holds ``clean_*_wav/`` and ``noisy_*_wav/``.

    VoxCeleb1 is the folder that holds ``wav/``. LibriSpeech is the folder of its subsets,
    whose names give the splits, or one subset.

    Raises
    ------
    CorpusError
        There is no such folder, no usable clip in it, its manifest cannot be used, or
        more than 5 % of the manifest's files are missing.
    """
    if not root.is_dir():
        raise CorpusError(f"{root}: no such folder; name a corpus folder or set SAMAF_CORPUS")
    missing: list[str] = []
    if (root / "manifest.csv").is_file():
        clips = _manifest(root, missing)
    elif any(root.glob("clean_*_wav")):
        clips = _noisy_speech(root, missing)
    elif any(root.glob("wav/id1*")):
        clips = _tree(root, sorted((root / "wav").glob("id1*/*/*.wav")))
    elif any(root.glob("*/*/*/*.trans.txt")):
        clips = _librispeech(root)
    elif any(root.glob("*/*/*.trans.txt")):
        clips = _tree(root, sorted(root.glob("*/*/*.flac")))
    else:
        clips = _tree(root, list(audio_files([root])))
    if not clips:
        raise CorpusError(f"{root}: holds no usable clip; name a folder with audio files")
    if len(missing) > UNREADABLE_SHARE * (len(clips) + len(missing)):
        raise CorpusError(
            f"{root}: {len(missing)} of {len(clips) + len(missing)} files that belong to it are "
            f"missing ({missing[0]} first); fetch them, or repair the manifest"
        )
    return Corpus(root, tuple(clips), tuple(missing))


def _manifest(root: Path, missing: list[str]) -> list[Clip]:
    clips = []
    for row in _rows(root / "manifest.csv"):
        path = root / row["path"]
        if not path.is_relative_to(root):
            raise CorpusError(
                f"{root / 'manifest.csv'}: {row['path']} is an absolute path; write it relative to "
                "the manifest's folder"
            )
        if not path.is_file():
            missing.append(row["path"])
            continue
        clips.append(
            Clip(
                path,
                row["kind"],
                row["split"],
                row.get("speaker") or "",
                row.get("recording") or path.stem,
                row.get("language") or "",
                row.get("licence") or "",
                source=row.get("source") or "",
                joined=row.get("joined") == "1",
            )
        )
    return clips


def _rows(manifest: Path) -> list[dict[str, str]]:
    try:
        # With or without the mark that spreadsheets put in front.
        with manifest.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="")
            lacking = {"path", "kind", "split"} - set(reader.fieldnames or ())
            rows = list(reader)
    except UnicodeDecodeError:
        raise CorpusError(f"{manifest}: is not UTF-8 text; save it as CSV in UTF-8") from None
    except csv.Error as error:
        raise CorpusError(f"{manifest}: is no CSV ({error}); save it as CSV in UTF-8") from None
    if lacking:
        raise CorpusError(f"{manifest}: lacks the columns {sorted(lacking)}; add them")
    return rows


def _librispeech(root: Path) -> list[Clip]:
    """Make clips of subset/speaker/chapter; dev-* is validation, test-* test, the rest train."""
    clips = []
    for path in sorted(root.glob("*/*/*/*.flac")):
        subset, speaker, chapter = path.relative_to(root).parts[:3]
        split = {"dev": "validation", "test": "test"}.get(subset.split("-")[0], "train")
        clips.append(Clip(path, "speech", split, speaker, chapter, "en"))
    return clips


def _noisy_speech(root: Path, missing: list[str]) -> list[Clip]:
    """Make clips of ``clean_SET_wav/SPEAKER_NUMBER.wav`` with those of ``noisy_SET_wav``.

    A test set stays one; other files are dealt by a hash of their name: 70 % train, 15 %
    validation, 15 % test.
    """
    clips = []
    for path in sorted(root.glob("clean_*_wav/*.wav")):
        folder = path.parent.name
        noisy = root / folder.replace("clean_", "noisy_", 1) / path.name
        if not noisy.is_file():
            missing.append(str(noisy.relative_to(root)))
            continue
        share = int(sha256(os.fsencode(path.name)).hexdigest()[:8], 16) % 20
        split = "train" if share < 14 else "validation" if share < 17 else "test"
        split = "test" if folder.startswith("clean_test") else split
        speaker = path.stem.partition("_")[0]
        clips.append(Clip(path, "speech", split, speaker, path.stem, noisy=noisy))
    return clips


def _tree(root: Path, files: Sequence[Path]) -> list[Clip]:
    """Make speech clips of a tree; speaker and recording are the upper two folders.

    Speakers are dealt to the splits by a hash of their name: 80 % train, 10 % validation,
    10 % test.
    """
    clips = []
    for path in files:
        folders = path.relative_to(root).parts[:-1]
        if folders[:1] == ("wav",):
            folders = folders[1:]
        speaker = folders[0] if folders else path.stem
        share = int(sha256(os.fsencode(speaker)).hexdigest()[:8], 16) % 10
        split = "train" if share < 8 else SPLITS[share - 7]
        clips.append(Clip(path, "speech", split, speaker, folders[1] if folders[1:] else path.stem))
    return clips
