"""The store, its schema and its index, and the models: stats, models, db, index."""

from __future__ import annotations

import click

from samaf.cli.options import database, db_option, form_option, model_option


@click.command()
@db_option
@form_option
def stats(form: str | None) -> None:
    """Sum the store up: recordings, hours, hashes, labels.

    \b
    Example:
      samaf stats --db evidence.db
    """
    import samaf
    from samaf.cli.render import write
    from samaf.cli.views import STATS

    with samaf.open(database(), create=False) as engine:
        write(STATS, [engine.stats()], form)


@click.command()
@form_option
def models(form: str | None) -> None:
    """List the models of this program.

    --json gives their whole cards: parameters, training data, figures.

    \b
    Example:
      samaf models
    """
    from samaf import engine
    from samaf.cli.render import write
    from samaf.cli.views import MODELS

    write(MODELS, engine.models(), form)


@click.group()
@db_option
def db() -> None:
    """The schema of the store's database.

    \b
    Example:
      samaf db status
    """


@db.command("upgrade")
@db_option
@form_option
def db_upgrade(form: str | None) -> None:
    """Bring the store to the schema of this program; keep a backup.

    \b
    Example:
      samaf db upgrade --db mysql://samaf@localhost/hashes
    """
    from samaf import engine
    from samaf.cli.render import write
    from samaf.cli.views import SCHEMA

    write(SCHEMA, [engine.db_upgrade(database())], form)


@db.command("status")
@db_option
@form_option
def db_status(form: str | None) -> None:
    """Tell the store's schema and the newest one.

    \b
    Example:
      samaf db status --json
    """
    from samaf import engine
    from samaf.cli.render import write
    from samaf.cli.views import SCHEMA

    write(SCHEMA, [engine.db_status(database())], form)


@click.group()
@db_option
def index() -> None:
    """The index, a cache that queries search.

    It follows the store by itself and may be deleted at any time.

    \b
    Example:
      samaf index status
    """


@index.command("rebuild")
@model_option
@db_option
@form_option
def index_rebuild(model: str | None, form: str | None) -> None:
    """Throw the index away and make it anew from the store.

    \b
    Example:
      samaf index rebuild
    """
    import samaf
    from samaf.cli.render import write
    from samaf.cli.views import INDEX

    with samaf.open(database(), model=model, create=False) as engine:
        write(INDEX, [engine.index_rebuild()], form)


@index.command("status")
@model_option
@db_option
@form_option
def index_status(model: str | None, form: str | None) -> None:
    """Tell where the index lies, whether it is current, and check all of its bytes.

    \b
    Example:
      samaf index status
    """
    import samaf
    from samaf.cli.render import write
    from samaf.cli.views import INDEX

    with samaf.open(database(), model=model, create=False) as engine:
        write(INDEX, [engine.index_status()], form)
