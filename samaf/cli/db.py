"""The store's database in the hands of its administrator."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from samaf.cli.options import INTERRUPTED, database, db_option, model_option, output_format_option
from samaf.cli.text import complain
from samaf.errors import SamafError

if TYPE_CHECKING:
    from samaf.db import Fault

FILE = click.Path(path_type=Path)


@click.group()
@db_option
def db() -> None:
    """The store's database: schema, backups, copies, checks.

    \b
    Example:
      samaf db status
    """


@contextmanager
def _resumable() -> Iterator[None]:
    """Say after Ctrl-C that nothing is lost."""
    try:
        yield
    except KeyboardInterrupt:
        complain("stopped; what is done stays done, and the same command goes on")
        click.get_current_context().exit(INTERRUPTED)


@db.command("status")
@db_option
@output_format_option
def db_status(output_format: str | None) -> None:
    """Show the store's schema and the newest one.

    \b
    Example:
      samaf db status --json
    """
    from samaf import db
    from samaf.cli.db_views import SCHEMA
    from samaf.cli.render import write

    write(SCHEMA, [db.status(database())], output_format)


@db.command("upgrade")
@db_option
@output_format_option
def db_upgrade(output_format: str | None) -> None:
    """Upgrade the store to the schema of this program; make a backup first.

    \b
    Example:
      samaf db upgrade --db mysql://samaf@localhost/hashes
    """
    from samaf import db
    from samaf.cli.db_views import SCHEMA
    from samaf.cli.render import write

    write(SCHEMA, [db.upgrade(database())], output_format)


@db.command("downgrade")
@click.argument("schema", metavar="SCHEMA")
@click.confirmation_option(prompt="What the older schema has no place for is dropped. Go on?")
@db_option
@output_format_option
def db_downgrade(schema: str, output_format: str | None) -> None:
    """Return the store to an older SCHEMA, for an older samaf; make a backup first.

    \b
    Example:
      samaf db downgrade 0001
    """
    from samaf import db
    from samaf.cli.db_views import SCHEMA
    from samaf.cli.render import write

    write(SCHEMA, [db.downgrade(database(), schema)], output_format)


@db.command("check")
@db_option
@output_format_option
def db_check(output_format: str | None) -> None:
    """Compare the database's tables and settings with what this program needs.

    Exit status 1 if something should be changed; its line says how.

    \b
    Example:
      samaf db check
    """
    from samaf import db
    from samaf.cli.db_views import SETTINGS
    from samaf.cli.render import write

    settings = db.check(database())
    write(SETTINGS, settings, output_format)
    if not all(setting.sound for setting in settings):
        click.get_current_context().exit(1)


@db.command("backup")
@click.argument("file", type=FILE)
@db_option
@output_format_option
def db_backup(file: Path, output_format: str | None) -> None:
    """Write a snapshot of the whole store to a new FILE.

    Others may continue to read and write. The file can be restored on either kind of database
    and is written completely or not at all.

    \b
    Example:
      samaf db backup hashes-2026-11-23.backup
    """
    from samaf import db
    from samaf.cli.db_views import BACKUP
    from samaf.cli.progress import counting
    from samaf.cli.render import write

    with counting("hashes") as on_progress:
        done = db.backup(database(), file, on_progress)
    write(BACKUP, [done], output_format)


@db.command("restore")
@click.argument("file", type=FILE)
@click.option("--replace", is_flag=True, help="Discard the recordings that the store holds.")
@db_option
@output_format_option
def db_restore(file: Path, replace: bool, output_format: str | None) -> None:
    """Fill the store from the backup in FILE, completely or not at all.

    A damaged file is refused; a store with recordings needs --replace.

    \b
    Example:
      samaf db restore hashes-2026-11-23.backup --db restored.db
    """
    from samaf import db
    from samaf.cli.db_views import BACKUP
    from samaf.cli.progress import counting
    from samaf.cli.render import write

    with counting("hashes") as on_progress:
        done = db.restore(database(), file, replace=replace, on_progress=on_progress)
    write(BACKUP, [done], output_format)


@db.command("export")
@click.argument("file", type=FILE)
@db_option
@output_format_option
def db_export(file: Path, output_format: str | None) -> None:
    """Write recordings, labels and hashes to a new FILE, .parquet or .csv.

    \b
    Example:
      samaf db export hashes.parquet
    """
    from samaf import db
    from samaf.cli.db_views import EXPORTED
    from samaf.cli.progress import counting
    from samaf.cli.render import write

    with counting("hashes") as on_progress:
        done = db.export(database(), file, on_progress=on_progress)
    write(EXPORTED, [done], output_format)


@db.command("import")
@click.argument("file", type=FILE)
@db_option
@output_format_option
def db_import(file: Path, output_format: str | None) -> None:
    """Add the recordings of a FILE that `samaf db export` wrote.

    Recordings that are already stored are skipped, except for labels that they lack. Hashes of
    another model than the store's are refused.

    \b
    Example:
      samaf db import hashes.parquet --db other.db
    """
    from samaf import db
    from samaf.cli.db_views import MERGED
    from samaf.cli.progress import counting
    from samaf.cli.render import write

    with _resumable(), counting("recordings") as on_progress:
        done = db.import_(database(), file, on_progress=on_progress)
    write(MERGED, [done], output_format)


@db.command("merge")
@click.argument("other", metavar="OTHER-URL")
@db_option
@output_format_option
def db_merge(other: str, output_format: str | None) -> None:
    """Add the recordings, hashes and labels of the store OTHER-URL that this one lacks.

    \b
    Example:
      samaf db merge laptop.db --db mysql://samaf@localhost/hashes
    """
    from samaf import db
    from samaf.cli.db_views import MERGED
    from samaf.cli.progress import counting
    from samaf.cli.render import write

    with _resumable(), counting("hashes") as on_progress:
        done = db.merge(other, database(), on_progress=on_progress)
    write(MERGED, [done], output_format)


@db.command("copy")
@click.argument("source", metavar="FROM-URL")
@click.argument("target", metavar="TO-URL")
@click.option(
    "--blocks-per-row",
    type=click.IntRange(1, 4096),
    metavar="N",
    help="Hashes per row of the copy; 1 gives one hash per row.  [default: as in FROM-URL]",
)
@output_format_option
def db_copy(
    source: str, target: str, blocks_per_row: int | None, output_format: str | None
) -> None:
    """Copy a whole store to an empty database, SQLite or server.

    Ids, labels, revisions and logs stay as they are. An interrupted or older copy is continued.

    \b
    Example:
      samaf db copy evidence.db mysql://samaf@localhost/evidence
    """
    from samaf import db
    from samaf.cli.db_views import COPIED
    from samaf.cli.progress import counting
    from samaf.cli.render import write

    with _resumable(), counting("hashes") as on_progress:
        done = db.copy(source, target, blocks_per_row=blocks_per_row, on_progress=on_progress)
    write(COPIED, [done], output_format)


@db.command("prune")
@click.option(
    "--days",
    type=click.IntRange(0),
    default=90,
    show_default=True,
    help="Keep deletions logged within this number of days.",
)
@click.option("--dry-run", is_flag=True, help="Only list what would be removed.")
@db_option
@output_format_option
def db_prune(days: int, dry_run: bool, output_format: str | None) -> None:
    """Remove rows that are no longer needed; recordings stay.

    \b
    Example:
      samaf db prune --dry-run
    """
    from samaf import db
    from samaf.cli.db_views import PRUNED
    from samaf.cli.render import write

    gone = db.prune(database(), days=days, dry_run=dry_run)
    write(PRUNED, gone, output_format)
    if not output_format:
        would = "would be removed; nothing was changed" if dry_run else "removed"
        click.echo(f"{sum(pruned.rows for pruned in gone):,} rows {would}")


@db.command("verify")
@click.option(
    "--audio",
    type=FILE,
    metavar="FOLDER",
    help="Also hash the files of a folder and compare.",
)
@model_option
@db_option
@output_format_option
def db_verify(audio: Path | None, model: str | None, output_format: str | None) -> None:
    """Read the whole store and report faults and their repair.

    Exit status 1 if there is a fault. --audio also reports the number of recordings that were
    compared with their files.

    \b
    Example:
      samaf db verify --audio recordings/
    """
    from samaf import db
    from samaf.cli.db_views import FAULTS
    from samaf.cli.progress import counting
    from samaf.cli.render import write

    faults: list[Fault] = []
    try:
        with counting("checked") as on_progress:
            compared = _collect(
                db.verify(database(), audio=audio, model=model, on_progress=on_progress),
                faults,
            )
    except SamafError:
        if faults:
            write(FAULTS, faults, output_format)
        raise
    write(FAULTS, faults, output_format)
    summary = f"{len(faults):,} faults found" if faults else "no fault found"
    if audio:
        summary += f"; {compared:,} recordings compared with their files"
    click.echo(summary, err=output_format is not None)
    if faults:
        click.get_current_context().exit(1)


def _collect(reports: Generator[Fault, None, int], faults: list[Fault]) -> int:
    """Gather all faults, and return what their generator returns."""
    while True:
        try:
            faults.append(next(reports))
        except StopIteration as end:
            return int(end.value)


@db.command("vacuum")
@db_option
@output_format_option
def db_vacuum(output_format: str | None) -> None:
    """Return the space of deleted recordings to the disk; writers wait meanwhile.

    \b
    Example:
      samaf db vacuum
    """
    from samaf import db
    from samaf.cli.db_views import VACUUMED
    from samaf.cli.render import write

    write(VACUUMED, [db.vacuum(database())], output_format)


@db.command("grant-sql")
@click.argument("role", type=click.Choice(["reader", "writer", "owner"]))
@click.option(
    "--user", required=True, metavar="NAME", help="The user who gets the privileges; must exist."
)
@click.option(
    "--host",
    default="%",
    show_default=True,
    metavar="HOST",
    help="The host that the user connects from.",
)
@db_option
def db_grant_sql(role: str, user: str, host: str) -> None:
    """Print the SQL that gives a user of the server the minimum privileges of a ROLE.

    \b
    Example:
      samaf db grant-sql reader --user ann --db mysql://root@localhost/hashes | mariadb
    """
    from samaf import db

    for statement in db.grant_sql(database(), role, user, host):
        click.echo(statement)
