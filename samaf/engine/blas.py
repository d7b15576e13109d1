"""How many threads matrix products take."""

from __future__ import annotations

from functools import lru_cache
from typing import Any


def one_blas_thread() -> Any:
    """Keep matrix products on one thread: they are small, and waiting threads cost more.

    Gives a context manager that puts the old number back.
    """
    return _blas().limit(limits=1)


@lru_cache(maxsize=1)
def _blas() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")
