"""Fits that find a known law again, costs of likelihood ratios by hand, excerpts by search."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from conftest import call, make_voice, write_manifest, write_wav
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.calibration import report, validation
from benchmarks.calibration.deep import DeepTrial, fitted, judged
from benchmarks.calibration.fitting import bounds, fit, likelihood, rising
from benchmarks.calibration.probes import SIGNAL_SECONDS, Probe, _version, signal
from benchmarks.calibration.trials import Trial, gallery, run_trials, scores
from benchmarks.calibration.validation import (
    cllr,
    cross_validated,
    fold_of_language,
    fold_of_voice,
    groups,
    least_cllr,
    passing,
)
from samaf.audio import SAMPLE_RATE, load
from samaf.demo import CLIPS
from samaf.fingerprinters import LikelihoodRatio, ScoreCalibration, load_hash_model
from samaf.matching.calibration import for_deep, log10_evalue
from samaf.training.corpora import Clip

TRUTH = ScoreCalibration(
    0.49,
    0.05,
    (0.5, 0.2),
    offset=-3.5,
    slope=0.4,
    overlap=0.5,
    same_text=0.01,
    same_text_mean=0.3,
    same_text_deviation=0.02,
    same_text_comparisons=2e6,
)
PLAIN = ScoreCalibration(TRUTH.mean, TRUTH.deviation, TRUTH.correlation)
RATES = np.linspace(0.02, 0.6, 2_000)


@cache
def expected(hashes: int, places: float) -> np.ndarray:
    """Give log10 of the expected false matches at each of the rates."""
    return log10_evalue(RATES, np.full(len(RATES), hashes), places, TRUTH)


def drawn(count: int, seed: int) -> list[Trial]:
    """Draw impostor queries from a known law: the expectation of the best one is exponential."""
    rng = np.random.default_rng(seed)
    trials = []
    for number in range(count):
        length = int(rng.choice([1, 5, 13, 37]))
        hashes = min(length, 8)
        places = 3.0 * 40_000 * length
        ber = float(np.interp(np.log10(rng.exponential()), expected(hashes, places), RATES))
        own = (float(rng.normal(0.2, 0.05)), hashes, places)
        found = ((ber, hashes, places),)
        voice = f"voice {number % 60}"
        trials.append(Trial("speech", "validation", voice, length, places, found, own, True, False))
    return trials


@pytest.mark.slow
def test_a_fit_meets_the_rates_that_it_states_for_each_length() -> None:
    law = fit(drawn(3_000, 1), PLAIN)
    fresh = drawn(6_000, 2)
    found, length = scores(fresh, law), np.array([t.length for t in fresh])
    for rate in (0.1, 0.01):
        assert rate / 2 < (found >= -np.log10(rate)).mean() < 2 * rate
    for n in (1, 5, 13, 37):
        assert 0.05 < (found[length == n] >= 1).mean() < 0.2


@pytest.mark.slow
def test_queries_are_judged_by_fits_to_other_voices() -> None:
    trials = drawn(600, 3)
    folds = fold_of_voice(trials)
    seen, fits = cross_validated(trials, PLAIN, folds)
    first = np.array([folds[t.voice] == 0 for t in trials])
    assert seen.scores[first] == pytest.approx(scores(trials, fits[0])[first])
    assert sorted(set(folds.values())) == [0, 1]
    others = [t for t, own in zip(trials, first, strict=True) if not own]
    assert replace(fits[0], likelihood=LikelihoodRatio()) == fit(others, PLAIN)


def test_voices_of_one_language_stay_together() -> None:
    trials = drawn(600, 3)
    voices = sorted({t.voice for t in trials})
    languages = {voice: "de" if n % 3 else "en" for n, voice in enumerate(voices)}
    folds = fold_of_language(trials, languages)
    assert {(languages[v], folds[v]) for v in voices} in (
        {("de", 0), ("en", 1)},
        {("de", 1), ("en", 0)},
    )
    assert fold_of_language(trials, {}) == fold_of_voice(trials)


@pytest.mark.slow
def test_deep_queries_tell_how_many_more_say_the_same_text() -> None:
    # Deep queries by a law that meets the same text eight times as often.
    truth = replace(TRUTH, deep_same_text=8.0)
    rng = np.random.default_rng(7)
    trials = []
    for number in range(1_500):
        places = 4e6 * float(rng.uniform(1, 10))
        expected = log10_evalue(RATES, np.full(len(RATES), 20), places, for_deep(truth))
        ber = float(np.interp(np.log10(rng.exponential()), expected, RATES))
        voice = f"voice {number % 60}"
        trials.append(DeepTrial("speech", voice, 5.0, ((0.6, 20, places), (ber, 20, places))))
    found = fitted(trials, TRUTH)
    assert 5 < found.deep_same_text < 13
    passed = np.mean([t.score >= 2 for t in judged(trials, [found], {})])
    assert 0.005 < passed < 0.02


@pytest.mark.slow
def test_likelihood_ratios_of_a_fit_cost_less_than_none() -> None:
    trials = drawn(600, 4)
    ratio = likelihood(trials, TRUTH)
    assert ratio.slope > 0
    assert -np.log10(61) - 0.01 <= ratio.lowest < 0 < ratio.highest <= np.log10(61) + 0.01


@pytest.mark.slow
def test_the_ratio_of_two_normal_distributions_is_found() -> None:
    # N(3, 1) against N(0, 1): natural logarithm of the ratio 3 x - 4.5.
    rng = np.random.default_rng(0)
    offset, slope, _ = rising(rng.normal(3, 1, 40_000), rng.normal(0, 1, 20_000))
    assert slope == pytest.approx(3 / np.log(10), abs=0.1)
    assert -offset / slope == pytest.approx(1.5, abs=0.1)


@pytest.mark.slow
def test_missed_recordings_set_the_floor() -> None:
    rng = np.random.default_rng(0)
    missed = rng.normal(0, 0.5, 10_000)
    true = np.concatenate([missed[:2_500], rng.uniform(4, 12, 7_500)])
    floor = rising(true, missed)[2]
    assert floor == pytest.approx(np.log10(0.25), abs=0.1)


def test_bounds_of_perfect_separation_are_the_number_of_voices() -> None:
    low, high = bounds(np.full(500, 9.0), np.full(900, -9.0), 50, 99)
    assert high == pytest.approx(np.log10(100), abs=0.02)
    assert low == pytest.approx(-np.log10(51), abs=0.02)


def test_bounds_of_scores_that_tell_nothing_are_narrow() -> None:
    same = np.random.default_rng(0).normal(0, 2, 5_000)
    low, high = bounds(same, same, 100, 100)
    assert high - low < 0.1


def test_cost_by_hand() -> None:
    even = np.zeros(4)
    assert cllr(even, even) == pytest.approx(1)
    # Ratios of 3 for true and 1/3 for false ones: log2(4/3) bits.
    assert cllr(np.full(2, np.log10(3)), np.full(2, -np.log10(3))) == pytest.approx(np.log2(4 / 3))


@pytest.mark.slow
@given(
    st.lists(st.integers(-9, 9), min_size=1, max_size=30),
    st.lists(st.integers(-9, 9), min_size=1, max_size=30),
)
def test_no_calibration_costs_less_than_the_best(true: list[int], false: list[int]) -> None:
    one, two = np.array(true) / 2, np.array(false) / 2
    least = least_cllr(one, two)
    assert least <= cllr(one, two) + 1e-9
    assert least <= 1 + 1e-9
    assert least_cllr(one * 3 + 1, two * 3 + 1) == pytest.approx(least, abs=1e-9)


def test_least_cost_of_separated_and_of_equal_scores() -> None:
    assert least_cllr(np.array([2.0, 3.0]), np.array([0.0, 1.0])) == pytest.approx(0)
    assert least_cllr(np.array([1.0, 2.0]), np.array([1.0, 2.0])) == pytest.approx(1)


def test_share_that_passes() -> None:
    found = passing(np.array([3.2, 1.0, 2.0, 0.5]), ["a", "a", "b", "b"], 0.01)
    assert (found.value, found.queries, found.clips) == (0.5, 4, 2)


def test_every_length_is_a_group_of_its_own() -> None:
    named = groups(drawn(40, 5), hop=0.25, block=1.0)
    assert {"all", "speech", "1 s", "2 s", "4 s", "10 s"} == set(named)
    assert sum(named[f"{n} s"].sum() for n in (1, 2, 4, 10)) == 40


def test_how_near_other_recordings_come() -> None:
    trial = Trial("speech", "test", "a", 9, 1e6, ((0.24, 9, 1e6), (0.1, 3, 1e6)), None, True, False)
    far, none = replace(trial, found=((0.36, 9, 1e6),)), replace(trial, found=())
    seen = validation.judged([trial, far, none, none], PLAIN)
    table = report.nearest(seen, {"all": np.ones(4, bool), "none": np.arange(4) > 1})
    assert table.body == (("all", 4, "0.300", "25.00"),)


@pytest.mark.slow
def test_own_matches_count_the_places_of_all_recordings() -> None:
    model = "1LST128C"
    fingerprinter = load_hash_model(model)
    paths = sorted(CLIPS.iterdir())[:4]
    probes = []
    for path in paths:
        samples = load(path)
        version = _version(samples, 1.0, 1.0, fingerprinter, "s", np.random.default_rng(1))
        clip = Clip(path, "speech", "validation", path.stem, path.name)
        reference = fingerprinter.hashes([samples], path.name).packed
        probes.append(Probe(clip, path.stem, reference, (version,) * (path == paths[0])))
    stored = gallery(probes, fingerprinter.card.calibration, 2)
    trials = run_trials(probes, stored, model)
    assert {t.length for t in trials} >= {1, 3, 5, 9, 13}
    others = sum(len(probe.reference) for probe in probes[1:])
    for trial in trials:
        assert trial.own
        rate, hashes, compared = trial.own
        assert rate < 0.3
        if trial.length < 29:
            # Below 8 s, three grids of up to two hashes more share the prior.
            assert (
                3 * 3 * others
                <= compared
                <= trial.comparisons
                <= 3 * 3 * others * (trial.length + 2)
            )
        else:
            assert hashes == trial.length
            assert compared == pytest.approx(3 * others * trial.length) == trial.comparisons


@pytest.mark.slow
@pytest.mark.parametrize("split", ["validation", "test"])
def test_the_command_reports_on_a_corpus(
    tmp_path: Path, model: Path, split: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.calibration.probes.SIGNALS", 3)
    splits = ["train"] * 2 + ["validation"] * 4 + ["test"] * 2
    clips = [(f"{n}.wav", "speech", part, f"voice {n}", "") for n, part in enumerate(splits)]
    for seed, (name, *_) in enumerate(clips):
        write_wav(tmp_path / name, make_voice(seed, 7.5))
    write_manifest(tmp_path, clips)
    shutil.copytree(tmp_path, tmp_path / "further")
    both = ["--corpus", tmp_path, "--corpus", tmp_path / "further"]
    words = [*both, "--split", split, "--deep", 1, "--report", tmp_path / "out"]
    done = call("calibration", model, *words)
    assert done.exit_code == 0, done.output
    assert "| signal |" in done.output
    assert "| deep | 1 |" in done.output
    written = (tmp_path / "out" / f"calibration-{split}.md").read_text()
    assert written == done.output
    for picture in ("calibration", "tippett"):
        content = (tmp_path / "out" / f"{picture}-{split}.png").read_bytes()
        assert content.startswith(b"\x89PNG")


def test_the_test_split_is_for_checking_only() -> None:
    done = call("calibration", "--split", "test", "--write")
    assert done.exit_code == 2
    assert "for checking only" in done.output


@pytest.mark.parametrize("number", range(8))
def test_signals_are_bounded_and_long_enough(number: int) -> None:
    name, samples = signal(number, np.random.default_rng(number))
    assert samples.shape == (SIGNAL_SECONDS * SAMPLE_RATE,)
    assert np.abs(samples).max() == pytest.approx(0 if name == "silence" else 1, abs=1e-3)
