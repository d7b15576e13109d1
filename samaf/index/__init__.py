"""Every stored hash, searchable."""

from samaf.index.exact import ExactIndex
from samaf.index.flat import FlatIndex
from samaf.index.ivf import IvfIndex
from samaf.index.nearest import NOTHING, Index, Nearest
from samaf.index.table import HashTable, table_of

__all__ = [
    "NOTHING",
    "ExactIndex",
    "FlatIndex",
    "HashTable",
    "Index",
    "IvfIndex",
    "Nearest",
    "table_of",
]
