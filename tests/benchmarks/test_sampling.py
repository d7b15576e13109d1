"""VoxCeleb1 as distributed: the paper's clips of 10 to 11 s."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from benchmarks.sampling import comparable
from samaf.errors import CorpusError
from samaf.training.corpora import Corpus, open_corpus

LENGTHS = {  # s
    "id10001/1zcIwhmdeo4/00001.wav": 8.1,
    "id10001/1zcIwhmdeo4/00002.wav": 10.2,
    "id10001/7gWzIy6yIIk/00001.wav": 10.9,
    "id10270/5r0dWxy17C8/00001.wav": 9.99,
    "id10270/5r0dWxy17C8/00002.wav": 11.01,
    "id10271/1gtz-CUIygI/00001.wav": 10.0,
}


def voxceleb(root: Path, lengths: dict[str, float]) -> Path:
    """Lay out the distribution, with silence."""
    for name, seconds in lengths.items():
        path = root / "wav" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        wavfile.write(path, 16_000, np.zeros(round(seconds * 16_000), np.int16))
    head = "VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\tSet\n"
    (root / "vox1_meta.csv").write_text(f"{head}id10001\tA.J._Buckley\tm\tIreland\tdev\n")
    return root


def test_clips_of_10_to_11_s_are_kept(tmp_path: Path) -> None:
    voxceleb(tmp_path, LENGTHS)
    (tmp_path / "wav" / "id10271" / "1gtz-CUIygI" / "00002.wav").write_text("no audio")
    kept = comparable(open_corpus(tmp_path))
    assert [c.path.relative_to(tmp_path / "wav").as_posix() for c in kept.clips] == [
        "id10001/1zcIwhmdeo4/00002.wav",
        "id10001/7gWzIy6yIIk/00001.wav",
        "id10271/1gtz-CUIygI/00001.wav",
    ]
    assert [(c.speaker, c.recording) for c in kept.clips[:2]] == [
        ("id10001", "1zcIwhmdeo4"),
        ("id10001", "7gWzIy6yIIk"),
    ]


def test_none_of_that_length(tmp_path: Path) -> None:
    voxceleb(tmp_path, {"id10001/1zcIwhmdeo4/00001.wav": 5})
    with pytest.raises(CorpusError, match="holds no clip of 10-11 s"):
        comparable(open_corpus(tmp_path))


def test_other_corpora_stay_whole(corpus: Corpus) -> None:
    assert comparable(corpus) is corpus
