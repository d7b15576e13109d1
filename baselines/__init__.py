"""The systems that samaf is compared with, all behind one protocol.

``recognizer`` holds the protocol, the register ``SYSTEMS`` and ``create``; each system is a
module of its own.
"""
