"""samaf tells which stored recording a short, damaged clip of speech comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from samaf.engine import Engine, compare, copies, decode, fingerprint, models, open

__version__ = "0.1.0"
__all__ = ["Engine", "__version__", "compare", "copies", "decode", "fingerprint", "models", "open"]
_VERBS = frozenset(__all__) - {"__version__"}


def __getattr__(name: str) -> Any:
    """Import the engine when it is first asked for: ``samaf --help`` does without it."""
    if name in _VERBS:
        from samaf import engine

        return getattr(engine, name)
    raise AttributeError(f"module 'samaf' has no attribute {name!r}")
