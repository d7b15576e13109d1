"""The store, its index, and the models: stats, models, rehash, index."""

from __future__ import annotations

from pathlib import Path

import click

from samaf.cli.options import (
    database,
    database_index_option,
    db_option,
    model_option,
    output_format_option,
)


@click.command()
@db_option
@output_format_option
def stats(output_format: str | None) -> None:
    """Summarise the store: recordings, hours, hashes, labels.

    \b
    Example:
      samaf stats --db evidence.db
    """
    import samaf
    from samaf.cli.render import write
    from samaf.cli.store_views import STATS

    with samaf.open(database(), create=False) as engine:
        write(STATS, [engine.stats()], output_format)


@click.command()
@output_format_option
def models(output_format: str | None) -> None:
    """List the shipped models.

    --json prints their complete cards: parameters, training data, figures.

    \b
    Example:
      samaf models
    """
    import samaf
    from samaf.cli.render import write
    from samaf.cli.store_views import MODELS

    write(MODELS, samaf.models(), output_format)


@click.command()
@click.option(
    "--audio",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Search this folder for files that have moved, by their SHA-256.",
)
@click.option(
    "--forget-missing", is_flag=True, help="Delete recordings whose files cannot be found or read."
)
@click.option(
    "--model",
    metavar="NAME|FILE",
    help="The new model.  [default: the shipped one of the same name]",
)
@db_option
@output_format_option
def rehash(
    audio: Path | None, forget_missing: bool, model: str | None, output_format: str | None
) -> None:
    """Rebuild the store with another model, from the audio files.

    Queries use the old hashes until every recording has new ones. An interrupted command can
    be run again. If files are missing, the exit status is 1 and the store keeps its old model.

    \b
    Example:
      samaf rehash --audio recordings/
    """
    import samaf
    from samaf.cli.progress import counting
    from samaf.cli.render import write
    from samaf.cli.store_views import REHASHED

    with counting("recordings") as on_progress:
        result = samaf.rehash(
            database(),
            model=model,
            audio=audio,
            forget_missing=forget_missing,
            on_progress=on_progress,
        )
    write(REHASHED, [result], output_format)
    if not result.done:
        click.get_current_context().exit(1)


@click.group()
@db_option
def index() -> None:
    """The index, a cache that queries search.

    It follows the store automatically and may be deleted at any time.

    \b
    Example:
      samaf index status
    """


@index.command("rebuild")
@database_index_option
@model_option
@db_option
@output_format_option
def index_rebuild(index: str, model: str | None, output_format: str | None) -> None:
    """Discard the index and build a new one from the store.

    \b
    Example:
      samaf index rebuild
    """
    import samaf
    from samaf.cli.render import write
    from samaf.cli.store_views import INDEX

    with samaf.open(database(), model=model, index=index, create=False) as engine:
        write(INDEX, [engine.index_rebuild()], output_format)


@index.command("status")
@database_index_option
@model_option
@db_option
@output_format_option
def index_status(index: str, model: str | None, output_format: str | None) -> None:
    """Show where the index is and whether it is current, and check all of its bytes.

    \b
    Example:
      samaf index status
    """
    import samaf
    from samaf.cli.render import write
    from samaf.cli.store_views import INDEX

    with samaf.open(database(), model=model, index=index, create=False) as engine:
        write(INDEX, [engine.index_status()], output_format)


@index.command("grant-sql")
@click.argument("role", type=click.Choice(["reader", "writer"]))
@click.option("--user", required=True, metavar="NAME", help="The user of the ClickHouse server.")
@click.option("--index", required=True, metavar="URL", help="clickhouse://ADMIN@HOST/DATABASE.")
def index_grant_sql(role: str, user: str, index: str) -> None:
    """Print SQL that grants a user the minimum privileges on an index in ClickHouse.

    A reader queries. A writer also brings the index up to date, as samaf add does.

    \b
    Example:
      samaf index grant-sql reader --user ann --index clickhouse://admin@db1/samaf
    """
    import samaf

    for statement in samaf.index_grant_sql(index, user, writer=role == "writer"):
        click.echo(f"{statement};")
