"""A model of vectors that needs no training: the mean level of each band in fifths of a segment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from samaf.features.melspectrogram import MelParameters
from samaf.fingerprinters import VectorCard
from samaf.fingerprinters.card import write_model

NAME = "LEVELS320"


def write_vector_model(folder: Path, name: str = NAME) -> Path:
    """Write the encoder and its card; give the encoder's path."""
    onnx = pytest.importorskip("onnx")
    make, kind = onnx.helper, onnx.TensorProto
    bands, frames = MelParameters().shape
    fifth = frames // 5
    shape = onnx.numpy_helper.from_array(np.array([-1, 1, bands, frames], np.int64), "shape")
    graph = make.make_graph(
        [
            make.make_node("Reshape", ["spectrogram", "shape"], ["image"]),
            make.make_node(
                "AveragePool", ["image"], ["fifths"], kernel_shape=[1, fifth], strides=[1, fifth]
            ),
            make.make_node("Flatten", ["fifths"], ["vectors"]),
        ],
        "levels",
        [make.make_tensor_value_info("spectrogram", kind.FLOAT, ["n", bands, frames])],
        [make.make_tensor_value_info("vectors", kind.FLOAT, ["n", 5 * bands])],
        [shape],
    )
    proto = make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=8)
    card = VectorCard(name, "unet", 5 * bands, MelParameters())
    return write_model(proto.SerializeToString(), card, folder)
