"""An index in ClickHouse: one database, or shards on several servers."""

from samaf.index.cluster.connection import connections
from samaf.index.cluster.following import catch_up
from samaf.index.cluster.index import ClusterIndex
from samaf.index.cluster.schema import grant_sql
from samaf.index.cluster.shard import Identity, Shard
from samaf.index.cluster.table import ClusterTable
from samaf.index.cluster.urls import IndexUrl, resolve

__all__ = [
    "ClusterIndex",
    "ClusterTable",
    "Identity",
    "IndexUrl",
    "Shard",
    "catch_up",
    "connections",
    "grant_sql",
    "resolve",
]
