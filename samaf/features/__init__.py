"""Samples to frames, frames to blocks: pure functions of arrays."""

from samaf.features.blocks import blocks, encoder_input
from samaf.features.mfcc import mfcc
from samaf.features.parameters import FeatureParameters

__all__ = ["FeatureParameters", "blocks", "encoder_input", "mfcc"]
