from __future__ import annotations

from pathlib import Path

import pytest

from samaf.training.curves import Point, draw_curves, read_points, write_points

POINTS = [
    Point(10, "train", 1.25, {"M": 1.0, "H": 0.25}),
    Point(10, "validation", 1 / 3, {"M": 0.2, "H": 0.1}, 0.5, 31.25, 0.9, 0.8, 0.3),
    Point(20, "train", 0.75, {"M": 0.5, "H": 0.25}),
]


def test_points_come_back_up_to_a_step(tmp_path: Path) -> None:
    write_points(POINTS, tmp_path / "curves.csv")
    again = read_points(tmp_path / "curves.csv", 20)
    assert [(p.step, p.split, p.loss, p.terms) for p in again] == [
        (p.step, p.split, p.loss, p.terms) for p in POINTS
    ]
    assert again[1] == POINTS[1]
    assert [p.step for p in read_points(tmp_path / "curves.csv", 19)] == [10, 10]
    assert read_points(tmp_path / "none.csv", 20) == []


@pytest.mark.slow
def test_curves_are_drawn(tmp_path: Path) -> None:
    draw_curves(POINTS, "1LST128MH", tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
