"""What the tests of the command share."""

from __future__ import annotations

from collections.abc import Callable

from click.testing import Result

from samaf.demo import CLIPS

Run = Callable[..., Result]

BRUNO = CLIPS / "bruno-garden.ogg"
STRANGER = CLIPS / "lena-stranger.ogg"  # in no store of these tests
