"""Loss terms: pure functions of Keras tensors.

``h`` is always the last hidden state of a batch, shape (n, bits), values in (-1, 1).
"""

from __future__ import annotations

from typing import Any

from keras import ops

Tensor = Any  # a tensor of whichever backend Keras runs on

SIMILAR = 0.55  # cosine from which two hashes count as similar; SAMAF eq. (5), section 3.2
SHARPNESS = 3.0  # tanh(3 h) is near a bit wherever |h| > 0.5
TEMPERATURE = 0.08
NEIGHBOUR_FRAMES = 50  # moments of one clip nearer than this are no negatives


def near_bits(h: Tensor) -> Tensor:
    """Squash states towards +-1 and scale rows to length 1, so a product is a cosine."""
    return unit(ops.tanh(SHARPNESS * h))


def unit(h: Tensor) -> Tensor:
    """Scale rows to length 1, so that a product is a cosine."""
    return h / ops.sqrt(ops.sum(ops.square(h), axis=-1, keepdims=True) + 1e-9)


def contrastive(h: Tensor, moments: Tensor, temperature: float = TEMPERATURE) -> Tensor:
    """Compute ``pair_entropy`` of states on their way to bits, (2 n, bits)."""
    return pair_entropy(near_bits(h), moments, temperature)


def pair_entropy(
    z: Tensor,
    moments: Tensor,
    temperature: float = TEMPERATURE,
) -> Tensor:
    """Compute the symmetric cross entropy of pairs against all other pairs (NT-Xent).

    Parameters
    ----------
    z
        (2 n, values), rows of length 1: n originals, then their n distorted copies.
    moments
        (n, 2): clip number and first frame; the same or a neighboring moment of the
        same clip is not pushed away.

    Returns
    -------
    Scalar; 0 when each copy resembles its original alone.
    """
    count = ops.shape(moments)[0]
    logits = ops.matmul(z[:count], ops.transpose(z[count:])) / temperature
    clip, frame = moments[:, 0], moments[:, 1]
    same = ops.equal(clip[:, None], clip[None, :])
    near = ops.abs(frame[:, None] - frame[None, :]) < NEIGHBOUR_FRAMES
    itself = ops.eye(count, dtype="bool")
    masked = ops.logical_and(ops.logical_and(same, near), ops.logical_not(itself))
    logits = ops.where(masked, -1e4, logits)
    own = ops.sum(ops.where(itself, logits, 0.0), axis=1)
    forward = ops.logsumexp(logits, axis=1) - own
    backward = ops.logsumexp(logits, axis=0) - own
    return ops.mean(forward + backward) / 2


def mean_square_error(x: Tensor, rebuilt: Tensor) -> Tensor:
    """Compare input and reconstruction, SAMAF eq. (3), as a mean over all values."""
    return ops.mean(ops.square(x - rebuilt))


def cosines(h: Tensor) -> Tensor:
    """Give the cosine similarity of all pairs of rows, (n, n)."""
    z = h / ops.sqrt(ops.sum(ops.square(h), axis=-1, keepdims=True) + 1e-12)
    return ops.matmul(z, ops.transpose(z))


def similarity_labels(h: Tensor) -> Tensor:
    """Label how strongly pairs belong together, SAMAF eq. (5), (n, n) in [0, 1]."""
    return ops.clip(cosines(h) / SIMILAR, 0.0, 1.0)


def hash_loss(h: Tensor) -> Tensor:
    """Pull similar states together, SAMAF eq. (4).

    Labels are constants: no gradient flows through them. 0 when no pair is similar.
    """
    count = ops.shape(h)[0]
    labels = ops.stop_gradient(similarity_labels(h))
    labels = ops.where(ops.eye(count, dtype="bool"), 0.0, labels)
    squares = ops.sum(ops.square(h), axis=1)
    distance = squares[:, None] + squares[None, :] - 2 * ops.matmul(h, ops.transpose(h))
    related = ops.sum(ops.cast(labels > 0, "float32"))
    return ops.sum(labels * ops.maximum(distance, 0.0)) / ops.maximum(related, 1.0)


def bitwise_entropy(h: Tensor) -> Tensor:
    """Measure how mixed each bit is among similar hashes, SAMAF eq. (6) and (7).

    The entropy of hard bits has no gradient. A bit counts here as +1 with probability
    (1 + tanh(3 h)) / 2; which hashes are similar is decided on hard bits, without
    gradient. As |3 h| grows the value tends to that of the hard formula. 0 when no two
    hashes are similar.
    """
    hard = ops.stop_gradient(ops.where(h >= 0, 1.0, -1.0))
    bits = ops.shape(h)[1]
    similar = ops.cast(ops.matmul(hard, ops.transpose(hard)) / bits >= SIMILAR, "float32")
    members = ops.sum(similar, axis=1)
    positive = (1 + ops.tanh(SHARPNESS * h)) / 2
    p = ops.clip(ops.matmul(similar, positive) / members[:, None], 1e-7, 1 - 1e-7)
    entropy = -(p * ops.log2(p) + (1 - p) * ops.log2(1 - p))
    each = ops.mean(entropy, axis=1) / members
    counted = ops.cast(members >= 2, "float32")
    return ops.sum(each * counted) / ops.maximum(ops.sum(counted), 1.0)


def bit_balance(h: Tensor) -> Tensor:
    """Measure how far bits are from being set in half of a batch.

    Mean over bits of the squared mean of tanh(3 h) over the batch: 0 when each bit is as
    often + as -, 1 when all hashes are the same.
    """
    return ops.mean(ops.square(ops.mean(ops.tanh(SHARPNESS * h), axis=0)))


def quantisation(h: Tensor) -> Tensor:
    """Measure what thresholding loses: the mean of (1 - |tanh(3 h)|) squared, 0 to 1."""
    return ops.mean(ops.square(1 - ops.abs(ops.tanh(SHARPNESS * h))))
