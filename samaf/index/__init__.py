"""All stored hashes or vectors, searchable."""

from samaf.index.exact import ExactIndex
from samaf.index.flat import FlatIndex
from samaf.index.ivf import IvfIndex
from samaf.index.neighbors import NOTHING, Index, Neighbors, Sweep, sweeps
from samaf.index.ranked import RankedAmong
from samaf.index.table import HashTable, Table, table_of, table_of_codes
from samaf.index.vectors import CellsIndex, VectorIndex, VectorNeighbors

__all__ = [
    "NOTHING",
    "CellsIndex",
    "ExactIndex",
    "FlatIndex",
    "HashTable",
    "Index",
    "IvfIndex",
    "Neighbors",
    "RankedAmong",
    "VectorNeighbors",
    "Sweep",
    "Table",
    "VectorIndex",
    "sweeps",
    "table_of",
    "table_of_codes",
]
