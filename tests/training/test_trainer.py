from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_plans import tiny_plan
from training_data import made_dataset

from samaf.errors import TrainingError
from samaf.training.curves import read_points
from samaf.training.plan import HeldOut, Plan
from samaf.training.trainer import (
    BEST,
    CHECKPOINT,
    CURVES,
    Progress,
    Trained,
    averaged_weights,
    load_best,
    train,
)

pytestmark = pytest.mark.training


def run(plan: Plan, folder: Path, seconds: float = float("inf")) -> tuple[Trained, list[Progress]]:
    told: list[Progress] = []
    held_out = HeldOut(made_dataset(9))
    done = train(plan, made_dataset(), folder, told.append, held_out, every=5, seconds=seconds)
    return done, told


def losses(told: list[Progress]) -> list[tuple[int, dict[str, float]]]:
    return [(p.step, dict(p.terms)) for p in told]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Trained, list[Progress]]:
    """A run of 20 steps from begin to end."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, *run(tiny_plan(), folder)


def same_weights(one: Trained, other: Trained) -> bool:
    pairs = zip(one.model.get_weights(), other.model.get_weights(), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


def test_two_runs_give_the_same_losses(
    whole: tuple[Path, Trained, list[Progress]], tmp_path: Path
) -> None:
    _, first, told = whole
    again, told_again = run(tiny_plan(), tmp_path)
    assert [p.step for p in told] == [5, 10, 15, 20]
    assert losses(told) == losses(told_again)
    assert same_weights(first, again)
    assert told[-1].terms["C"] < told[0].terms["C"]
    assert told[-1].seconds_left == 0


def test_curves_hold_training_and_validation(
    whole: tuple[Path, Trained, list[Progress]],
) -> None:
    folder, _, told = whole
    points = read_points(folder / CURVES, 20)
    trained = [p for p in points if p.split == "train"]
    held_out = [p for p in points if p.split == "validation"]
    assert [(p.step, p.terms) for p in trained] == losses(told)
    assert [p.step for p in held_out] == [5, 10, 15, 20]
    assert all(0 <= p.accuracy <= 1 and 0 < p.distance < 16 for p in held_out)


def test_the_best_weights_are_kept(whole: tuple[Path, Trained, list[Progress]]) -> None:
    folder, trained, _ = whole
    points = [p for p in read_points(folder / CURVES, 20) if p.split == "validation"]
    before = trained.model.get_weights()
    assert load_best(trained.model, folder, "loss") == min(points, key=lambda p: p.loss).step
    best = max(points, key=lambda p: p.accuracy).step  # the first of equals
    assert load_best(trained.model, folder, "accuracy") == best
    trained.model.set_weights(before)


def test_a_finished_run_is_only_loaded(whole: tuple[Path, Trained, list[Progress]]) -> None:
    folder, first, _ = whole
    again, told = run(tiny_plan(), folder)
    assert told == []
    assert again.step == 20
    assert again.made == first.made
    assert same_weights(first, again)


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not(
    whole: tuple[Path, Trained, list[Progress]], tmp_path: Path
) -> None:
    stopped, first = run(tiny_plan(), tmp_path, seconds=0)
    assert stopped.step == 5
    done, rest = run(tiny_plan(), tmp_path)
    assert losses(first + rest) == losses(whole[2])
    assert same_weights(done, whole[1])
    both = [read_points(f / CURVES, 20) for f in (tmp_path, whole[0])]
    assert [(p.step, p.split, p.loss) for p in both[0]] == [
        (p.step, p.split, p.loss) for p in both[1]
    ]


KILLED = """
import os, signal, sys
from pathlib import Path
from tiny_plans import tiny_plan
from training_data import made_dataset
from samaf.training.plan import HeldOut
from samaf.training.trainer import train

def report(progress):
    if progress.step == 15:
        os.kill(os.getpid(), signal.SIGKILL)

train(
    tiny_plan(), made_dataset(), Path(sys.argv[1]), report, HeldOut(made_dataset(9)), every=5,
    checkpoint_seconds=0,
)
"""


def test_after_kill_9_the_run_goes_on_with_the_same_losses(
    whole: tuple[Path, Trained, list[Progress]], tmp_path: Path
) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)], env=environment, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    done, told = run(tiny_plan(), tmp_path)
    assert losses(told) == losses(whole[2])[2:]  # from the checkpoint of step 10 on
    assert same_weights(done, whole[1])


@pytest.mark.parametrize(
    ("changes", "named"),
    [({"learning_rate": 1.0}, "learning_rate"), ({"seed": 7, "pairs": 4}, "pairs, seed")],
)
def test_a_checkpoint_of_another_configuration_is_refused(
    whole: tuple[Path, Trained, list[Progress]], changes: dict[str, float], named: str
) -> None:
    with pytest.raises(TrainingError, match=rf"another configuration \(different: {named}\)"):
        run(replace(tiny_plan(), **changes), whole[0])


def test_a_longer_or_shorter_plan_takes_over_before_the_rate_falls(
    whole: tuple[Path, Trained, list[Progress]], tmp_path: Path
) -> None:
    stopped, first = run(tiny_plan(steps=100), tmp_path, seconds=0)
    assert stopped.step == 5
    done, rest = run(tiny_plan(), tmp_path)  # as if it had been 20 steps all along
    assert losses(first + rest) == losses(whole[2])
    assert same_weights(done, whole[1])


def test_no_other_plan_takes_over_once_the_rate_has_fallen(
    whole: tuple[Path, Trained, list[Progress]],
) -> None:
    with pytest.raises(TrainingError, match="has done 20 steps of 20; .* before step 16 only"):
        run(tiny_plan(steps=40), whole[0])


def test_a_plan_takes_over_with_more_copies_but_not_with_fewer(tmp_path: Path) -> None:
    run(tiny_plan(copies=1), tmp_path, seconds=0)
    run(tiny_plan(copies=2), tmp_path, seconds=0)
    with pytest.raises(TrainingError, match="learnt from 2 copies a clip; give --copies 2 or more"):
        run(tiny_plan(copies=1), tmp_path)


def test_validation_measures_averaged_weights_and_puts_the_last_ones_back(tmp_path: Path) -> None:
    done, _ = run(tiny_plan(steps=5), tmp_path)
    model = done.model
    last = [w + 1 for w in model.get_weights()]
    model.set_weights(last)
    with averaged_weights(model):
        inside = model.get_weights()
    assert not all(np.array_equal(a, b) for a, b in zip(inside, last, strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), last, strict=True))


def test_a_loss_that_is_no_number_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    plan = tiny_plan()
    run(plan, tmp_path, seconds=0)
    good = (tmp_path / CHECKPOINT).read_bytes()
    frames = np.full_like(made_dataset().frames, np.nan)
    with pytest.raises(TrainingError, match=f"no number at step 10.*{tmp_path}"):
        train(plan, replace(made_dataset(), frames=frames), tmp_path, print, every=5)
    assert (tmp_path / CHECKPOINT).read_bytes() == good


def test_the_papers_models_learn_from_blocks_with_adagrad(tmp_path: Path) -> None:
    plan = tiny_plan("MHE", steps=5)
    done, told = run(plan, tmp_path)
    assert type(done.model.optimizer).__name__ == "Adagrad"
    assert set(told[0].terms) == {"M", "H", "E"}
    assert (tmp_path / BEST["loss"]).is_file()


def test_an_untrained_model_takes_no_step(tmp_path: Path) -> None:
    done, told = run(tiny_plan("", steps=0), tmp_path)
    assert (done.step, told) == (0, [])
