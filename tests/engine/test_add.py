"""What cannot be added is refused in one line; the others are stored."""

from __future__ import annotations

import os
from pathlib import Path

import samaf
from samaf.demo import CLIPS


def test_a_named_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.wav"
    os.mkfifo(pipe)
    engine = samaf.open(str(tmp_path / "samaf.db"), cache_folder=tmp_path / "index")
    refused, added = engine.add([pipe, CLIPS / "bruno-garden.ogg"])
    assert (refused.status, added.status) == ("failed", "added")
    assert refused.message.startswith(f"{pipe}: is a pipe")
