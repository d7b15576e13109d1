"""The verbs: add, query and what goes with them, as plain Python.

>>> import samaf
>>> with samaf.open("evidence.db") as engine:  # doctest: +SKIP
...     for result in engine.add("recordings/"):
...         print(result.path, result.status)
...     print(engine.query("clip.wav").matches)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from samaf.audio import audio_files
    from samaf.engine.compare import compare, models
    from samaf.engine.copies import copies
    from samaf.engine.decode import decode
    from samaf.engine.engine import Engine, open
    from samaf.engine.fingerprint import fingerprint
    from samaf.engine.rehash import rehash
    from samaf.fingerprinters import Card, ModelCard
    from samaf.records import Comparison, Fingerprint
    from samaf.status import IndexStatus
    from samaf.store import SchemaStatus
    from samaf.store import status as db_status
    from samaf.store import upgrade as db_upgrade

__all__ = [
    "Card",
    "Comparison",
    "Engine",
    "Fingerprint",
    "IndexStatus",
    "ModelCard",
    "SchemaStatus",
    "audio_files",
    "compare",
    "copies",
    "db_status",
    "db_upgrade",
    "decode",
    "fingerprint",
    "models",
    "open",
    "rehash",
]

_PLACES = {
    "Card": "samaf.fingerprinters:Card",
    "Comparison": "samaf.records:Comparison",
    "Engine": "samaf.engine.engine:Engine",
    "Fingerprint": "samaf.records:Fingerprint",
    "IndexStatus": "samaf.status:IndexStatus",
    "ModelCard": "samaf.fingerprinters:ModelCard",
    "SchemaStatus": "samaf.store:SchemaStatus",
    "audio_files": "samaf.audio:audio_files",
    "compare": "samaf.engine.compare:compare",
    "copies": "samaf.engine.copies:copies",
    "db_status": "samaf.store:status",
    "db_upgrade": "samaf.store:upgrade",
    "decode": "samaf.engine.decode:decode",
    "fingerprint": "samaf.engine.fingerprint:fingerprint",
    "models": "samaf.engine.compare:models",
    "open": "samaf.engine.engine:open",
    "rehash": "samaf.engine.rehash:rehash",
}


def __getattr__(name: str) -> Any:
    """Import a verb when it is first asked for: processes that only hash need no database."""
    if name not in _PLACES:
        raise AttributeError(f"module 'samaf.engine' has no attribute {name!r}")
    module, _, there = _PLACES[name].partition(":")
    return getattr(import_module(module), there)
