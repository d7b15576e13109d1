"""The hashes of a file are those that a store keeps."""

from __future__ import annotations

import numpy as np

import samaf
from samaf.demo import CLIPS

BRUNO = CLIPS / "bruno-garden.ogg"


def test_fingerprint_equals_what_is_stored(engine: samaf.Engine) -> None:
    (added,) = engine.add(BRUNO)
    assert added.recording
    stored = engine.store.hashes(added.recording.recording_id)
    fingerprint = samaf.fingerprint(BRUNO)
    np.testing.assert_array_equal(stored.packed, fingerprint.hashes.packed)
    assert (fingerprint.sha256, fingerprint.hop) == (added.recording.sha256, 0.25)
