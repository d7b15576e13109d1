from __future__ import annotations

from pathlib import Path

import pytest
from training_data import write_manifest

from samaf.errors import CorpusError
from samaf.training.corpora import open_corpus


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def manifest(root: Path, present: int, missing: int) -> None:
    names = [f"speech/{n:03}.wav" for n in range(present + missing)]
    touch(root, *names[:present])
    write_manifest(root, [(name, "speech", "train", "anna") for name in names])


def test_a_manifest_gives_kind_split_speaker_and_licence(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "b.wav", "room.wav")
    rows = [
        ("a.wav", "speech", "train", "anna"),
        ("b.wav", "speech", "test", "bert"),
        ("room.wav", "rir", "train", ""),
    ]
    write_manifest(tmp_path, rows)
    corpus = open_corpus(tmp_path)
    (clip,) = corpus.select("speech", "train", "validation")
    assert (clip.path, clip.speaker, clip.licence) == (tmp_path / "a.wav", "anna", "CC0")
    assert [c.path.name for c in corpus.select("rir", "train")] == ["room.wav"]
    assert len(corpus.select("speech", "train", "test")) == 2


def test_up_to_five_percent_may_be_missing_and_are_named(tmp_path: Path) -> None:
    manifest(tmp_path, present=19, missing=1)
    corpus = open_corpus(tmp_path)
    assert len(corpus.clips) == 19
    assert corpus.missing == ("speech/019.wav",)


def test_more_missing_files_are_refused(tmp_path: Path) -> None:
    manifest(tmp_path, present=18, missing=2)
    with pytest.raises(CorpusError, match=r"2 of 20 files .* missing \(speech/018.wav first\)"):
        open_corpus(tmp_path)


def test_a_manifest_without_its_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text("path,kind\na.wav,speech\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"manifest.csv: lacks the columns \['split'\]"):
        open_corpus(tmp_path)


def test_a_manifest_that_a_spreadsheet_wrote_is_read(tmp_path: Path) -> None:
    touch(tmp_path, "zoë.wav")
    text = "path,kind,split\r\nzoë.wav,speech,train\r\n"
    (tmp_path / "manifest.csv").write_text(text, encoding="utf-8-sig")
    assert [c.path.name for c in open_corpus(tmp_path).clips] == ["zoë.wav"]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_a_manifest_in_another_encoding_is_refused(tmp_path: Path, encoding: str) -> None:
    text = "path,kind,split\nzoë.wav,speech,train\n"
    (tmp_path / "manifest.csv").write_text(text, encoding=encoding)
    with pytest.raises(CorpusError, match="manifest.csv: is not UTF-8 text; save it"):
        open_corpus(tmp_path)


def test_a_manifest_with_absolute_paths_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "elsewhere/a.wav", "corpus/b.wav")
    rows = [(name, "speech", "train", "anna") for name in ("b.wav", "../elsewhere/a.wav")]
    write_manifest(tmp_path / "corpus", rows)
    assert len(open_corpus(tmp_path / "corpus").digest) == 64
    outside = str(tmp_path / "elsewhere/a.wav")
    write_manifest(tmp_path / "corpus", [*rows, (outside, "speech", "train", "anna")])
    with pytest.raises(CorpusError, match=rf"manifest.csv: {outside} is an absolute path; write"):
        open_corpus(tmp_path / "corpus")


def test_a_row_that_ends_early_counts_as_missing(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav")
    rows = "kind,split,path\nspeech,train\n" + "speech,train,a.wav\n" * 19
    (tmp_path / "manifest.csv").write_text(rows, encoding="utf-8")
    corpus = open_corpus(tmp_path)
    assert (len(corpus.clips), len(corpus.missing)) == (19, 1)


def test_voxceleb1_gives_speaker_and_video(tmp_path: Path) -> None:
    touch(tmp_path, "wav/id10001/1zcIwhmdeo4/00001.wav", "wav/id10002/abc/00002.wav")
    corpus = open_corpus(tmp_path)
    assert [(c.speaker, c.recording) for c in corpus.clips] == [
        ("id10001", "1zcIwhmdeo4"),
        ("id10002", "abc"),
    ]


def test_librispeech_takes_splits_from_its_subsets(tmp_path: Path) -> None:
    for subset in ("train-clean-100", "dev-other", "test-clean"):
        folder = f"{subset}/103/1240"
        touch(tmp_path, f"{folder}/103-1240.trans.txt", f"{folder}/103-1240-0000.flac")
    clips = open_corpus(tmp_path).clips
    assert [(c.split, c.speaker, c.recording) for c in clips] == [
        ("validation", "103", "1240"),
        ("test", "103", "1240"),
        ("train", "103", "1240"),
    ]


def test_one_subset_of_librispeech_is_a_corpus_too(tmp_path: Path) -> None:
    touch(tmp_path, "103/1240/103-1240.trans.txt", "103/1240/103-1240-0000.flac")
    (clip,) = open_corpus(tmp_path).clips
    assert (clip.speaker, clip.recording, clip.path.suffix) == ("103", "1240", ".flac")


def test_any_folder_deals_speakers_to_splits_once(tmp_path: Path) -> None:
    names = [f"{speaker:03}/{take}.wav" for speaker in range(120) for take in "ab"]
    touch(tmp_path, *names, "120/notes.txt")
    clips = open_corpus(tmp_path).clips
    assert len(clips) == 240
    splits = {c.speaker: {d.split for d in clips if d.speaker == c.speaker} for c in clips}
    assert all(len(own) == 1 for own in splits.values())
    shares = {s: sum(c.split == s for c in clips) / 240 for s in ("train", "validation", "test")}
    assert shares["train"] > 0.7
    assert min(shares.values()) > 0.03


def test_loose_files_are_their_own_speakers(tmp_path: Path) -> None:
    touch(tmp_path, "one.wav", "two.mp3")
    assert [c.speaker for c in open_corpus(tmp_path).clips] == ["one", "two"]


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_a_folder_without_clips_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError, match=name):
        open_corpus(tmp_path / name)


def test_the_digest_depends_on_files_and_splits_alone(tmp_path: Path) -> None:
    for name, split in (("here", "train"), ("there", "train"), ("other", "test")):
        touch(tmp_path, f"{name}/a.wav")
        write_manifest(tmp_path / name, [("a.wav", "speech", split, name)])
    here, there, other = (open_corpus(tmp_path / n).digest for n in ("here", "there", "other"))
    assert here == there != other
