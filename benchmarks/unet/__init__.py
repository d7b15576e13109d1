"""The U-Net paper's experiments, redone: searching, and what it weighs against the index.

``python -m benchmarks.unet search unet:UNET320 samaf:2LST256C --kind music``
``python -m benchmarks.unet relational UNET320``
"""
