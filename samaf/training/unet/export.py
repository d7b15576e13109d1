"""From a trained U-Net to the bytes of two ONNX files: the encoder and the decoder."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from samaf.training.export import finished
from samaf.training.unet.model import DECODER_SLOPE, ENCODER_SLOPE, EPSILON, UNet

Layer = Any


class _Graph:
    """Nodes and weights as they come; weights are float16, widened where they are used."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def constant(self, array: np.ndarray, name: str) -> str:
        from onnx import numpy_helper

        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def weight(self, array: np.ndarray, name: str) -> str:
        from onnx import TensorProto

        half = self.constant(array.astype(np.float16), f"{name}-half")
        return self.node("Cast", [half], name, to=TensorProto.FLOAT)

    def convolution(self, kind: str, layer: Layer, x: str, name: str, **attributes: Any) -> str:
        """Add a convolution: ``kind`` is Conv or ConvTranspose, kernels turned as it takes them."""
        kernel, bias = (keras.ops.convert_to_numpy(v) for v in (layer.kernel, layer.bias))
        inputs = [
            x,
            self.weight(kernel.transpose(3, 2, 0, 1), f"{name}-kernel"),
            self.weight(bias, f"{name}-bias"),
        ]
        return self.node(kind, inputs, name, **attributes)

    def instance_norm(self, x: str, channels: int, name: str) -> str:
        ones, zeros = f"ones-{channels}", f"zeros-{channels}"
        if not any(w.name == ones for w in self.weights):
            self.constant(np.ones(channels, np.float32), ones)
            self.constant(np.zeros(channels, np.float32), zeros)
        return self.node("InstanceNormalization", [x, ones, zeros], name, epsilon=EPSILON)


def encoder_bytes(model: UNet) -> bytes:
    """Build the encoder's graph.

    Input ``spectrogram`` float32 (n, 64, 376); outputs ``vectors`` float32 (n, 320), then
    ``skip1`` to ``skip5`` for the decoder, float32 (n, channels, height, width).
    """
    graph = _Graph()
    channel = graph.constant(np.array([1], np.int64), "channel")
    x = graph.node("Unsqueeze", ["spectrogram", channel], "x")
    for number, layer in enumerate(model.encoder, 1):
        x = graph.convolution("Conv", layer, x, f"conv{number}", strides=[2, 2], pads=[1] * 4)
        x = graph.node("LeakyRelu", [x], f"leaky{number}", alpha=ENCODER_SLOPE)
        last = number == len(model.encoder)
        x = graph.instance_norm(x, layer.filters, "latent" if last else f"skip{number}")
    graph.node("Flatten", [x], "vectors", axis=1)
    shapes = _shapes(model)
    outputs = {"vectors": shapes["vectors"]}
    if model.kind.skips:
        outputs |= shapes
    return _finished(graph, model, {"spectrogram": model.kind.features.shape}, outputs)


def decoder_bytes(model: UNet) -> bytes:
    """Build the decoder's graph: what the encoder gives back to a spectrogram, ``rebuilt``.

    A model without skip connections takes ``vectors`` alone.
    """
    graph = _Graph()
    latent = np.array([0, model.encoder[-1].filters, 1, -1], np.int64)
    x = graph.node("Reshape", ["vectors", graph.constant(latent, "shape")], "latent")
    shapes = _shapes(model)
    for number, layer in enumerate(model.decoder, 1):
        pads = [1 if layer.padding == "same" else 0] * 4
        x = graph.convolution("ConvTranspose", layer, x, f"conv{number}", strides=[2, 2], pads=pads)
        x = graph.instance_norm(x, layer.filters, f"norm{number}")
        x = graph.node("LeakyRelu", [x], f"leaky{number}", alpha=DECODER_SLOPE)
        if model.kind.skips:
            skip = f"skip{len(model.decoder) + 1 - number}"
            x = graph.node("Concat", [x, skip], f"joined{number}", axis=1)
    twice = graph.constant(np.array([1, 1, 2, 2], np.float32), "twice")
    x = graph.node(
        "Resize",
        [x, "", twice],
        "large",
        mode="nearest",
        nearest_mode="floor",
        coordinate_transformation_mode="asymmetric",
    )
    x = graph.convolution("Conv", model.last, x, "conv6", pads=[2, 2, 1, 1])
    x = graph.node("LeakyRelu", [x], "leaky6", alpha=DECODER_SLOPE)
    channel = graph.constant(np.array([1], np.int64), "channel")
    graph.node("Squeeze", [x, channel], "rebuilt")
    inputs = shapes if model.kind.skips else {"vectors": shapes["vectors"]}
    return _finished(graph, model, inputs, {"rebuilt": model.kind.features.shape})


def _shapes(model: UNet) -> dict[str, tuple[int, ...]]:
    """Give the shapes of all that the encoder gives, without the batch."""
    height, width = model.kind.features.shape
    shapes: dict[str, tuple[int, ...]] = {}
    for number, layer in enumerate(model.encoder, 1):
        height, width = height // 2, width // 2
        shapes[f"skip{number}"] = (layer.filters, height, width)
    channels, height, width = shapes.popitem()[1]
    return {"vectors": (channels * height * width,), **shapes}


def _finished(
    graph: _Graph,
    model: UNet,
    inputs: dict[str, tuple[int, ...]],
    outputs: dict[str, tuple[int, ...]],
) -> bytes:
    def described(values: dict[str, tuple[int, ...]]) -> dict[str, list[str | int]]:
        return {name: ["n", *shape] for name, shape in values.items()}

    return finished(model.name, graph.nodes, graph.weights, described(inputs), described(outputs))
