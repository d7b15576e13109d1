from . import db
from .engine.compare import compare
from .engine.copies import copies
from .engine.database_index import index_grant_sql
from .engine.decode import decode
from .engine.engine import Engine, open
from .engine.fingerprint import fingerprint
from .engine.models import models
from .engine.rehash import rehash
from .engine.sync import sync
from .engine.verify import draw_verification, verify
from .version import __version__

__all__ = [
    "Engine",
    "__version__",
    "compare",
    "copies",
    "db",
    "decode",
    "draw_verification",
    "fingerprint",
    "index_grant_sql",
    "models",
    "open",
    "rehash",
    "sync",
    "verify",
]
