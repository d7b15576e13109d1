"""A file is there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from samaf.files import atomic, save_arrays


@pytest.mark.parametrize("durable", [False, True])
def test_what_was_written_takes_the_place_of_the_old_file(tmp_path: Path, durable: bool) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with atomic(path, durable=durable) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError, ValueError])
def test_an_exception_leaves_the_old_file_and_no_other(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(error), atomic(path) as temporary:
        temporary.write_text("half of the n")
        raise error
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_written_is_an_error_and_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(FileNotFoundError), atomic(path):
        pass
    assert path.read_text() == "old"


def test_arrays_come_back_under_any_name(tmp_path: Path) -> None:
    path = tmp_path / "lists.cells"
    save_arrays(path, rows=np.arange(3), format=1)
    with np.load(path) as file:
        assert file["rows"].tolist() == [0, 1, 2]
        assert int(file["format"]) == 1
    assert list(tmp_path.iterdir()) == [path]
