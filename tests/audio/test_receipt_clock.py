"""When sound was received, whatever the network does to it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samaf.audio.live import EARLIEST_SECONDS, ReceiptClock


def test_a_burst_at_the_start_was_played_before() -> None:
    clock = ReceiptClock()
    clock.received(4.0, at=100.0)  # what a radio server keeps for those who come
    clock.received(5.0, at=101.0)
    assert clock.monotonic(0.0) == 96.0
    assert clock.monotonic(5.0) == 101.0


@given(delays=st.lists(st.floats(0, 20), min_size=1, max_size=50))
def test_what_comes_late_changes_nothing(delays: list[float]) -> None:
    clock = ReceiptClock()
    clock.received(1.0, at=501.0)
    for second, delay in enumerate(delays, 2):
        clock.received(float(second), at=500.0 + second + delay)
    assert clock.monotonic(1.0) == pytest.approx(501.0)


def test_a_sender_whose_clock_is_slow_is_followed() -> None:
    clock = ReceiptClock()
    for second in range(86_400):  # a day at 999 per mille, 86 s late at the end
        clock.received(second * 0.999, at=float(second))
    # The earliest of up to two minutes, in which 0.1 s get lost.
    assert clock.monotonic(86_399 * 0.999) == pytest.approx(86_399, abs=0.002 * EARLIEST_SECONDS)


def test_nothing_received_means_now() -> None:
    before = time.monotonic()
    assert before <= ReceiptClock().monotonic(7.0) <= time.monotonic()
