"""The course of a match: each block at its place, whichever way and how fast the clip runs."""

from __future__ import annotations

import numpy as np
import pytest

from samaf.audio import load
from samaf.demo import CLIPS, faster
from samaf.engine.course import course
from samaf.fingerprinters import DEFAULT_MODEL, Fingerprinter, load_hash_model
from samaf.records import Manipulation, Match, Recording

NAME = CLIPS / "greta-weather.ogg"


@pytest.fixture(scope="module")
def model() -> Fingerprinter:
    return load_hash_model(DEFAULT_MODEL)


def test_blocks_of_an_excerpt_agree_at_their_places(model: Fingerprinter) -> None:
    sound = load(NAME)
    reference = model.hashes([sound], "reference").packed
    recording = Recording("0" * 64, "greta", "", len(sound) / 16_000)
    match = Match(recording, 0, 5, 2, 7, 0.0, 9.0)
    blocks = course(sound[2 * 16_000 : 7 * 16_000], 0.0, match, reference, model)
    # Blocks of 1 s every 0.25 s of 5 s; a block has 15 ms more than 1 s, so there is no 17th.
    assert blocks.times.tolist() == pytest.approx([0.5 + 0.25 * n for n in range(16)])
    assert (blocks.reference_times - blocks.times).tolist() == pytest.approx([2.0] * 16)
    assert blocks.ber.max() < 0.02
    assert np.nanmax(np.abs(blocks.lags)) < 0.03
    assert blocks.agreeing.all()


@pytest.mark.parametrize("is_reversed", [False, True])
def test_speed_and_direction_are_undone(model: Fingerprinter, is_reversed: bool) -> None:
    sound = load(NAME)
    reference = model.hashes([sound], "reference").packed
    recording = Recording("0" * 64, "greta", "", len(sound) / 16_000)
    clip = faster(sound[2 * 16_000 : 8 * 16_000], 1.25)
    if is_reversed:
        clip = clip[::-1].copy()
    match = Match(recording, 0, 4.8, 2, 8, 0.1, 9.0, Manipulation(0.8, 1.25, is_reversed))
    blocks = course(clip, 0.0, match, reference, model)
    assert blocks.ber.mean() < 0.15
    assert np.nanmedian(np.abs(blocks.lags)) < 0.03
    assert (np.diff(blocks.times) > 0).all()
    there = np.diff(blocks.reference_times)
    assert (there < 0).all() if is_reversed else (there > 0).all()


def test_a_place_that_is_wrong_by_a_hop_shows_in_the_lags(model: Fingerprinter) -> None:
    sound = load(NAME)
    reference = model.hashes([sound], "reference").packed
    recording = Recording("0" * 64, "greta", "", len(sound) / 16_000)
    match = Match(recording, 0, 5, 2.2, 7.2, 0.0, 9.0)
    blocks = course(sound[2 * 16_000 : 7 * 16_000], 0.0, match, reference, model)
    assert np.nanmedian(blocks.lags) == pytest.approx(-0.2, abs=0.03)


def test_what_lies_beyond_the_recording_or_is_too_short_has_no_block(model: Fingerprinter) -> None:
    sound = load(NAME)
    reference = model.hashes([sound], "reference").packed
    recording = Recording("0" * 64, "greta", "", len(sound) / 16_000)
    match = Match(recording, 0, 5, 100, 105, 0.0, 9.0)
    assert len(course(sound[:80_000], 0.0, match, reference, model).times) == 0
    match = Match(recording, 0, 0.5, 0, 0.5, 0.0, 9.0)
    assert len(course(sound[:8000], 0.0, match, reference, model).times) == 0
