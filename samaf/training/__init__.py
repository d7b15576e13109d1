"""Everything that makes model files. Needs the extra ``samaf[train]``."""

import os

# TensorFlow leaves oneDNN off where a CPU has no AVX-512; convolutions then take twice as long.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
