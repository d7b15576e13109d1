from __future__ import annotations

import operator
import os

import pytest

from samaf.training.workers import WORTHWHILE, spread


def process(_: int, shared: int) -> tuple[int, int]:
    return os.getpid(), shared


def test_results_come_in_order_with_what_is_shared() -> None:
    assert list(spread(operator.add, range(40), int, "5")) == list(range(5, 45))


@pytest.mark.process
def test_many_jobs_leave_this_process_and_few_stay() -> None:
    many = {pid for pid, _ in spread(process, range(4 * WORTHWHILE), int, "7")}
    few = list(spread(process, range(3), int, "7"))
    assert few == [(os.getpid(), 7)] * 3
    assert (os.getpid() in many) == (os.cpu_count() == 1)
