"""The systems that samaf is compared with, all behind one protocol.

``recognizer`` holds the protocol and ``create``; one module per system follows:
``dejavu``, ``rafs``, ``panako_nfft``, ``panako_ncteq``, ``panako2``, the chance
level ``chance``, the upper bound ``bruteforce`` and third-party programs in ``outside``.
"""
