"""From a trained model to the bytes of one ONNX file, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from samaf.errors import TrainingError
from samaf.training.models import HashModel

OPSET = 17
IR_VERSION = 8  # understood by every ONNX Runtime since 1.11


def onnx_bytes(model: HashModel) -> bytes:
    """Build the graph from the weights: one LSTM node a layer, the scaling folded in.

    Input ``blocks`` float32 (n, steps, values), not standardised; output ``h`` float32
    (n, bits).
    """
    from onnx import helper, numpy_helper

    bits = model.kind.bits
    nodes = [helper.make_node("Transpose", ["blocks"], ["x0"], perm=[1, 0, 2])]
    weights = [
        numpy_helper.from_array(np.array([1], np.int64), "direction"),
        numpy_helper.from_array(np.array([0], np.int64), "first"),
    ]
    for number, layer in enumerate(model.lstms):
        kernel, recurrent, bias = (
            keras.ops.convert_to_numpy(v).astype(np.float64)
            for v in (layer.cell.kernel, layer.cell.recurrent_kernel, layer.cell.bias)
        )
        if number == 0:
            kernel = kernel * model.inverse[:, None]
            bias = bias - model.offset @ kernel
        names = [f"W{number}", f"R{number}", f"B{number}"]
        both = np.concatenate([_gates(bias[:, None])[:, 0], np.zeros(4 * bits)])
        for name, array in zip(names, (_gates(kernel.T), _gates(recurrent.T), both), strict=True):
            weights.append(numpy_helper.from_array(array[None].astype(np.float32), name))
        nodes.append(
            helper.make_node(
                "LSTM",
                [f"x{number}", *names],
                [f"y{number}", f"h{number}"],
                hidden_size=bits,
            )
        )
        last = number == len(model.lstms) - 1
        source, squeezed = (f"h{number}", "h") if last else (f"y{number}", f"x{number + 1}")
        axis = "first" if last else "direction"
        nodes.append(helper.make_node("Squeeze", [source, axis], [squeezed]))
    return finished(
        model.name,
        nodes,
        weights,
        {"blocks": ["n", "steps", len(model.offset)]},
        {"h": ["n", bits]},
    )


def finished(
    name: str,
    nodes: Sequence[Any],
    weights: Sequence[Any],
    inputs: Mapping[str, Sequence[str | int]],
    outputs: Mapping[str, Sequence[str | int]],
) -> bytes:
    """Join nodes and weights to a checked file; inputs and outputs are float32."""
    from onnx import TensorProto, checker, helper

    def values(shapes: Mapping[str, Sequence[str | int]]) -> list[Any]:
        return [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))
            for name, shape in shapes.items()
        ]

    proto = helper.make_model(
        helper.make_graph(nodes, name, values(inputs), values(outputs), weights),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="samaf",
    )
    checker.check_model(proto)
    return bytes(proto.SerializeToString(deterministic=True))


def put_weights(model: HashModel, path: Path) -> None:
    """Put the encoder weights of a model file that `onnx_bytes` made into a model.

    A file whose steps hold another number of frames is taken too; `restacked` makes its first
    kernel fit.

    Raises
    ------
    TrainingError
        The file holds a model of other layers, bits or coefficients.
    """
    import onnx
    from onnx import numpy_helper

    held = {a.name: numpy_helper.to_array(a) for a in onnx.load(path).graph.initializer}
    coefficients = len(model.offset) // model.stack
    if "W0" in held and held["W0"].shape[-1] % coefficients == 0:
        held["W0"] = restacked(held["W0"], coefficients, model.stack)
    for number, layer in enumerate(model.lstms):
        names = [f"{kind}{number}" for kind in "WRB"]
        cell = layer.cell
        variables = (cell.kernel, cell.recurrent_kernel, cell.bias)
        wanted = [(1, v.shape[-1], *v.shape[:-1]) for v in variables[:2]] + [
            (1, 2 * cell.bias.shape[0])
        ]
        if [held[n].shape if n in held else None for n in names] != wanted:
            raise TrainingError(
                f"{path}: holds no model that {model.name} can start from; layers, bits and "
                "coefficients must be the same"
            )
        kernel, recurrent = (_keras_gates(held[n][0]).T for n in names[:2])
        bias = _keras_gates(held[names[2]][0].reshape(2, -1).sum(axis=0))
        if number == 0:
            bias = bias + model.offset @ kernel
            kernel = kernel / model.inverse[:, None]
        for variable, array in zip(variables, (kernel, recurrent, bias), strict=True):
            variable.assign(array)


def restacked(kernel: np.ndarray, coefficients: int, stack: int) -> np.ndarray:
    """Make a kernel for steps of another number of frames, float32 (..., stack x coefficients).

    Each frame's weight goes to the frames that cover its part of the step, so that a constant
    input drives a cell as before. States last as many steps as they did: what becomes of that
    is left to training.

    Parameters
    ----------
    kernel
        float32 (..., frames x coefficients).
    """
    own = kernel.reshape(*kernel.shape[:-1], -1, coefficients)
    frames = own.shape[-2]
    ends, theirs = np.arange(1, stack + 1) / stack, np.arange(1, frames + 1) / frames
    covered = np.minimum(ends[:, None], theirs) - np.maximum(
        ends[:, None] - 1 / stack, theirs - 1 / frames
    )
    shares = np.maximum(covered, 0) * frames  # (stack, frames); columns add up to 1
    return np.asarray(shares.astype(np.float32) @ own).reshape(*kernel.shape[:-1], -1)


def _keras_gates(rows: np.ndarray) -> np.ndarray:
    """Undo `_gates`."""
    i, o, f, c = np.split(rows, 4)
    return np.concatenate([i, f, c, o])


def _gates(rows: np.ndarray) -> np.ndarray:
    """Bring Keras' gate order i, f, c, o into ONNX' i, o, f, c along the first axis."""
    i, f, c, o = np.split(rows, 4)
    return np.concatenate([i, o, f, c])
