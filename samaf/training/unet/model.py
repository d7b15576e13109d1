"""The U-Net autoencoder over mel spectrograms (paper section 3.4, Figures 3 and 4)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers, ops

from samaf.errors import TrainingError
from samaf.features.melspectrogram import MelParameters
from samaf.training import losses
from samaf.training.terms import TermModel

NAME = re.compile(r"UNET320(?P<letters>C?L?R?)")
CHANNELS = (64, 128, 256, 256, 256, 64)  # of the six encode layers
ENCODER_SLOPE, DECODER_SLOPE = 0.2, 0.3  # of the leaky rectifiers
DROPOUT = 0.3
EPSILON = 1e-5  # PyTorch's, in which the paper's model is written
Tensor = Any


@dataclass(frozen=True, slots=True)
class Variant:
    """What a name like ``UNET320CL`` says.

    ``UNET320`` is the paper's model. C adds the contrastive term. L leaves the skip
    connections out: the decoder gets the latent values alone. R leaves the spectrograms
    raw, without normalising their bands.
    """

    name: str

    @property
    def contrastive(self) -> bool:
        """Whether a contrastive term is added."""
        return "C" in self.letters

    @property
    def skips(self) -> bool:
        """Whether the decoder sees what each encode layer gave."""
        return "L" not in self.letters

    @property
    def features(self) -> MelParameters:
        """What the model takes."""
        return MelParameters(normalised="R" not in self.letters)

    @property
    def letters(self) -> str:
        """The letters behind ``UNET320``."""
        return self.name.removeprefix("UNET320")

    @property
    def terms(self) -> str:
        """Terms of the loss: M, the mean square error, and C."""
        return "MC" if self.contrastive else "M"


def variant(name: str) -> Variant:
    """Read a model name.

    Raises
    ------
    TrainingError
        The name is not ``UNET320`` followed by letters of CLR in this order.
    """
    if not NAME.fullmatch(name):
        raise TrainingError(
            f"{name!r} names no U-Net; write UNET320, then letters out of C (contrastive term), "
            "L (no skip connections), R (raw spectrograms) in this order"
        )
    return Variant(name)


class UNet(TermModel):
    """The autoencoder, with the loss that its terms add up to.

    ``call`` encodes spectrograms (n, 64, 376): it gives what the six layers give, each
    (n, height, width, channels), the last of them the latent values (n, 1, 5, 64).
    Training data are the spectrograms to encode as x; as y the clean spectrograms to
    rebuild, of the first ones or of all, and the moments. With the contrastive term x holds
    as many references behind them, see ``spectrograms.Spectrograms.pairs``.

    Parameters
    ----------
    channels
        Of the six encode layers; the five decode layers mirror them.
    precision
        Keras' name of what it computes in: float32, or mixed_bfloat16, which trains nearly
        twice as fast on processors that have it.
    seed
        Of initial weights and dropout.
    """

    def __init__(
        self,
        kind: Variant,
        weights: dict[str, float] | None = None,
        temperature: float = losses.TEMPERATURE,
        channels: tuple[int, ...] = CHANNELS,
        precision: str = "float32",
        seed: int = 0,
    ) -> None:
        super().__init__(kind.name, kind.terms, weights)
        self.kind, self.temperature = kind, temperature
        *outer, latent = channels

        def options(number: int) -> dict[str, Any]:
            glorot = keras.initializers.GlorotUniform(seed=seed + number)
            return {"strides": 2, "kernel_initializer": glorot, "dtype": precision}

        self.encoder = [layers.Conv2D(c, 4, **options(i)) for i, c in enumerate(channels)]
        widths = list(reversed(outer))
        kernels = [((2, 3), "valid")] * 3 + [(4, "same")] * 2
        self.decoder = [
            layers.Conv2DTranspose(c, size, padding=padding, **options(10 + i))
            for i, (c, (size, padding)) in enumerate(zip(widths, kernels, strict=True))
        ]
        self.last = layers.Conv2D(1, 4, **{**options(20), "strides": 1})
        self.border = layers.ZeroPadding2D(1, dtype=precision)
        # One row and column of zeros, as the paper's ZeroPad2d, then the convolution's own.
        self.last_border = layers.ZeroPadding2D(((2, 1), (2, 1)), dtype=precision)
        self.twice = layers.UpSampling2D(2, dtype=precision)
        # Figure 3: the last three encode layers, the first four decode layers.
        self.dropouts = [layers.Dropout(DROPOUT, seed=seed + 30 + i) for i in range(7)]
        self.build((None, *kind.features.shape))

    def build(self, input_shape: Any) -> None:
        """Create all weights."""
        depth, given = 1, []
        for layer in self.encoder:
            layer.build((None, None, None, depth))
            depth = layer.filters
            given.append(depth)
        for layer, skip in zip(self.decoder, reversed(given[:-1]), strict=True):
            layer.build((None, None, None, depth))
            depth = layer.filters + (skip if self.kind.skips else 0)
        self.last.build((None, None, None, depth))
        for dropout in self.dropouts:
            dropout.build((None, None, None, None))
        self.built = True

    def call(self, x: Tensor, training: bool = False) -> list[Tensor]:
        """Encode spectrograms (n, 64, 376): what each layer gives, the latent values last."""
        x = ops.convert_to_tensor(x)[..., None]
        given = []
        for number, layer in enumerate(self.encoder):
            x = ops.leaky_relu(layer(self.border(x)), ENCODER_SLOPE)
            x = instance_norm(x)
            if number >= 3:
                x = self.dropouts[number - 3](x, training=training)
            given.append(x)
        return given

    def decode(self, given: list[Tensor], training: bool = False) -> Tensor:
        """Rebuild spectrograms (n, 64, 376) from what ``call`` gave."""
        *skips, x = given
        for number, layer in enumerate(self.decoder):
            x = ops.leaky_relu(instance_norm(layer(x)), DECODER_SLOPE)
            if number < 4:
                x = self.dropouts[3 + number](x, training=training)
            if self.kind.skips:
                x = ops.concatenate([x, ops.cast(skips[-1 - number], x.dtype)], axis=-1)
        x = self.last(self.last_border(self.twice(x)))
        return ops.leaky_relu(ops.cast(x, "float32"), DECODER_SLOPE)[..., 0]

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Tensor:
        """Add up the weighted terms: the mean square error, and the contrastive one."""
        target, moments = y
        count = ops.shape(target)[0]
        rebuilt = self.decode([each[:count] for each in y_pred], training)
        terms = {"M": losses.mean_square_error(ops.convert_to_tensor(target), rebuilt)}
        if self.kind.contrastive:
            terms["C"] = losses.pair_entropy(
                losses.unit(vectors(y_pred)), moments, self.temperature
            )
        return self.followed(terms)


def instance_norm(x: Tensor) -> Tensor:
    """Bring each channel of each spectrogram to mean 0 and variance 1; float32 inside."""
    wide = ops.cast(x, "float32")
    centred = wide - ops.mean(wide, axis=(1, 2), keepdims=True)
    variance = ops.mean(ops.square(centred), axis=(1, 2), keepdims=True)
    return ops.cast(centred * ops.rsqrt(variance + EPSILON), x.dtype)


def vectors(given: list[Tensor]) -> Tensor:
    """Lay the latent values out as the paper does, channel by channel: (n, 320)."""
    latent = ops.transpose(ops.cast(given[-1], "float32"), (0, 3, 1, 2))
    return ops.reshape(latent, (-1, latent.shape[1] * latent.shape[2] * latent.shape[3]))
