"""The systems that samaf is compared with, all behind one protocol.

``recognizer`` holds the protocol and ``create``; one module per system follows:
``dejavu``, ``rafs``, ``panako_nfft``, ``panako_ncteq``, ``panako2``, the floor
``chance``, the ceiling ``bruteforce`` and the programs of others in ``outside``.
"""
