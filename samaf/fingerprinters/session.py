"""ONNX files become sessions that give the same on every machine and report nothing to anybody."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from samaf.errors import FingerprinterError


def open_session(model: Path, sha256: str, takes: Sequence[str], gives: int) -> Any:
    """Load a model with one thread: two files at once are quicker than one file with two threads.

    Parameters
    ----------
    sha256
        Of the file, from its card.
    takes
        Names of the inputs.
    gives
        Values that the first output has in a row.

    Raises
    ------
    FingerprinterError
        The file cannot be read, is another one, or is no such model.
    """
    # Evidence stays on this machine: the library reports its use to its maker unless one of these
    # variables, by version, is set before it is loaded.
    os.environ["ORT_DISABLE_TELEMETRY"] = os.environ["ORT_TELEMETRY_DISABLED"] = "1"
    import onnxruntime

    try:
        content = model.read_bytes()
    except OSError as error:
        raise FingerprinterError(
            f"{model}: cannot be read ({error.strerror}); install samaf again"
        ) from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise FingerprinterError(
            f"{model}: is not the file its card describes; install samaf again or export it again"
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        inputs, outputs = session.get_inputs(), session.get_outputs()
        names = [tensor.name for tensor in inputs]
        fits = names == [*takes] and outputs[0].shape[-1] == gives
    except Exception:  # its errors have no other class in common
        fits = False
    if not fits:
        raise FingerprinterError(f"{model}: is no model of samaf; export the model again")
    return session
