from __future__ import annotations

import pytest

from samaf.training.schedule import Trapezoid, decay_begins


def test_the_rate_rises_stays_and_falls_to_0() -> None:
    rate = Trapezoid(0.1, 4, 100)
    values = [float(rate(step)) for step in range(101)]
    assert values[:4] == pytest.approx([0.025, 0.05, 0.075, 0.1])
    assert values[4:81] == pytest.approx([0.1] * 77)
    assert values[90] == pytest.approx(0.05)
    assert values[100] == 0
    assert decay_begins(100) == 80


def test_plans_of_other_lengths_agree_until_the_shorter_one_falls() -> None:
    short, long = Trapezoid(0.1, 4, 100), Trapezoid(0.1, 4, 1000)
    steps = range(decay_begins(100) + 1)
    assert [float(short(n)) for n in steps] == [float(long(n)) for n in steps]


def test_it_comes_back_from_its_configuration() -> None:
    again = Trapezoid.from_config(Trapezoid(0.1, 4, 100).get_config())
    assert float(again(90)) == pytest.approx(0.05)
