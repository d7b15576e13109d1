"""How far scores can be trusted: a model's calibration, fitted and checked on held-out speakers.

``subjects`` hashes the clips that are asked about, ``trials`` asks, ``fitting`` fits,
``validation`` checks, ``report`` and ``pictures`` tell.
"""
