"""Pictures: the same bytes twice, sound in the right place, names that cannot harm."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from samaf.report import Examination
from samaf.report.drawn import HITS, TIPPETT, drawn, match_name
from samaf.report.pictures.certainty import hit_rates, score_densities, tippett
from samaf.report.pictures.place import _rows, clip_map, recording_with_stretches
from samaf.report.pictures.spectra import Excerpt, spectrogram, spectrogram_pair
from samaf.report.record import ValidatedLength, Validation

LENGTH = ValidatedLength(3.0, 100, 200, 0.9, 0.3, (4.0, 6.0, 8.0), (0.1, 0.4, 1.2))
VALIDATION = Validation(
    "queries", lengths=(LENGTH,), true_lrs=(1.0, 2.0), false_lrs=(-1.0, 0.2), voices=9
)


@pytest.mark.slow
def test_pictures_are_the_same_twice_and_hold_no_date(
    phone: tuple[Examination, dict[str, bytes]],
) -> None:
    first, second = dict(drawn(phone[0])), dict(drawn(phone[0]))
    assert first == second
    kinds = ("course", "line", "place", "scores")
    assert set(first) == {HITS, TIPPETT, *(match_name(1, 1, kind) for kind in kinds)}
    for picture in first.values():
        ElementTree.fromstring(picture)
        assert b"<dc:date>" not in picture


@pytest.mark.parametrize(
    "draw",
    [
        lambda name: recording_with_stretches(60, [(1, 4, name), (2, 60, name)], name),
        lambda name: clip_map([name, name], [name], [(0, 0)]),
        lambda name: spectrogram_pair(
            Excerpt(name, np.zeros(16000, "f4"), 16000, 0, 0, 1),
            Excerpt(name, np.zeros(16000, "f4"), 16000, 5, 5, 6),
        ),
    ],
)
@pytest.mark.slow
def test_hostile_names_leave_a_picture_well_formed(draw: object) -> None:
    for name in ("<svg onload=x>", "-->", "$x^2$", "\x1b\u202e", "a" * 1000, "\u6f22"):
        root = ElementTree.fromstring(draw(name))  # type: ignore[operator]
        assert not any("onload" in element.attrib for element in root.iter())


@pytest.mark.slow
def test_pictures_of_the_validation_are_drawn() -> None:
    for picture in (
        score_densities(LENGTH, 5.0),
        tippett(VALIDATION, 1.5),
        hit_rates([LENGTH, ValidatedLength(1.0, 9, 9, 0.5)], 2.0),
    ):
        ElementTree.fromstring(picture)


def test_a_spectrogram_shows_the_frequency_of_a_tone() -> None:
    sound = np.sin(2 * np.pi * 2000 * np.arange(16000) / 16000).astype("f4")
    image = spectrogram(sound, 16_000)
    # Bins of two times 16000 / 1024 Hz.
    assert np.abs(image.mean(axis=1).argmax() * 31.25 - 2000) <= 31.25
    assert image.max() == 0


def test_overlapping_stretches_get_rows_of_their_own() -> None:
    assert _rows([(0, 5, "a"), (1, 2, "b"), (6, 7, "c")]) == [0, 1, 2]
    many = [(float(n), n + 0.5, "x") for n in range(50)]
    assert _rows(many) == [0] * 50
