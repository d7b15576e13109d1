"""The history of the store's schema, for alembic; installed as ``samaf.migrations``.

To change the schema: change ``samaf/store/schema.py`` and its ``NEWEST``, and write
``versions/NNNN_what.py`` with the next number, upgrade and downgrade. The tests compare both
on every engine. ``samaf db upgrade`` runs what is here; there is no alembic.ini.
"""
