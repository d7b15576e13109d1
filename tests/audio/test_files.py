"""Which files are found below folders, and what is said where they cannot be."""

from __future__ import annotations

import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from media import sweep, wav

from samaf.audio import LeftOut, audio_files, load
from samaf.errors import AudioError


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_files_by_suffix_in_name_order(tmp_path: Path) -> None:
    touch(*(tmp_path / name for name in ("b.WAV", "a.mp3", "notes.txt", "c/d/e.flac", "odd")))
    found = list(audio_files([tmp_path, tmp_path / "odd"]))
    expected = ("a.mp3", "b.WAV", "c/d/e.flac", "odd")
    assert found == [tmp_path / name for name in expected]


def test_links_to_folders_are_followed(tmp_path: Path) -> None:
    touch(tmp_path / "disk/a.wav", tmp_path / "recordings/b.wav")
    (tmp_path / "recordings/more").symlink_to(tmp_path / "disk")
    found = list(audio_files([tmp_path / "recordings"]))
    assert found == [tmp_path / "recordings/b.wav", tmp_path / "recordings/more/a.wav"]


def test_links_that_go_round_in_a_circle_end(tmp_path: Path) -> None:
    touch(tmp_path / "one/a.wav", tmp_path / "two/b.wav")
    (tmp_path / "one/up").symlink_to(tmp_path)
    (tmp_path / "two/there").symlink_to(tmp_path / "one")
    assert [path.name for path in audio_files([tmp_path])] == ["a.wav", "b.wav"]


def test_a_dead_link_is_named_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    touch(tmp_path / "a.wav", tmp_path / "c.wav")
    (tmp_path / "b.wav").symlink_to(tmp_path / "gone.wav")
    left_out = LeftOut()
    found = list(audio_files([tmp_path], left_out))
    assert [path.name for path in found] == ["a.wav", "c.wav"]
    assert left_out.broken_links == [tmp_path / "b.wav"]
    assert f"{tmp_path}/b.wav: a link that leads nowhere" in caplog.text


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    touch(*(tmp_path / name for name in ("a.wav", "b.txt", "c/d.TXT", "c/e.pdf", "readme")))
    left_out = LeftOut()
    assert list(audio_files([tmp_path], left_out)) == [tmp_path / "a.wav"]
    assert left_out.other_files == 4
    assert left_out.suffixes == {".txt": 2, ".pdf": 1, "": 1}


def test_suffixes_of_telephones_cameras_and_archives_are_known(tmp_path: Path) -> None:
    suffixes = "3ga m4b mts m2ts ts wmv asf sph awb mp2 rf64 wv spx 3gpp qta bwf".split()
    touch(*(tmp_path / f"a.{suffix}" for suffix in suffixes))
    assert len(list(audio_files([tmp_path]))) == len(suffixes)


@pytest.mark.parametrize("forms", [("NFC", "NFD"), ("NFD", "NFC")])
def test_a_name_is_found_in_either_unicode_form(tmp_path: Path, forms: tuple[str, str]) -> None:
    typed, kept = (
        tmp_path / unicodedata.normalize(form, "Köln") / unicodedata.normalize(form, "é.wav")
        for form in forms
    )
    touch(kept)
    assert list(audio_files([typed])) == [kept]
    assert list(audio_files([typed.parent])) == [kept]
    kept.write_bytes(wav(sweep()))
    assert len(load(typed)) == len(sweep())


def test_of_two_names_that_look_alike_the_typed_one_is_meant(tmp_path: Path) -> None:
    names = [tmp_path / unicodedata.normalize(form, "é.wav") for form in ("NFC", "NFD")]
    touch(*names)
    for name in names:
        assert list(audio_files([name])) == [name]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nowhere", "no such file"),
        ("a\0b", "no such file"),
        ("a" * 300, "too long"),
        ("a.wav/b.wav", "Not a directory"),
    ],
)
def test_a_bad_path_is_refused_in_one_line(tmp_path: Path, name: str, reason: str) -> None:
    touch(tmp_path / "a.wav")
    with pytest.raises(AudioError, match=reason) as caught:
        list(audio_files([tmp_path / name]))
    assert str(caught.value).startswith(f"{tmp_path}/")
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("public_path")
@pytest.mark.parametrize("name", ["", "locked", "locked/a.wav"])
def test_what_lies_in_a_locked_folder_is_not_left_out_in_silence(tmp_path: Path, name: str) -> None:
    touch(tmp_path / "locked/a.wav")
    (tmp_path / "locked").chmod(0)
    program = (
        "import os, sys\nfrom samaf.audio import audio_files\nfrom samaf.errors import AudioError\n"
        "if os.geteuid() == 0: os.setuid(65534)  # root may read every folder\n"
        "try: list(audio_files(sys.argv[1:]))\n"
        "except AudioError as error: sys.exit(str(error))"
    )
    command = [sys.executable, "-c", program, os.fspath(tmp_path / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    (tmp_path / "locked").chmod(0o755)
    assert done.stderr.startswith(f"{tmp_path / 'locked'}")
    assert "Permission denied" in done.stderr
    assert done.stderr.count("\n") == 1
