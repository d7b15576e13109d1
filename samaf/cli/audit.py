"""The audit log: ``samaf db audit``."""

from __future__ import annotations

import click

from samaf.cli.options import database, db_option, output_format_option


@click.command()
@click.option("--verify", is_flag=True, help="Compute all hashes again; exit status 1 when broken.")
@db_option
@output_format_option
def audit(verify: bool, output_format: str | None) -> None:
    """Tell who changed what and when.

    Entries are only ever added, each with a hash over itself and the entry before. --verify
    names the first that is missing or changed, and prints the newest hash: kept elsewhere, it
    vouches for all entries up to it.

    \b
    Example:
      samaf db audit --verify
    """
    from samaf import db
    from samaf.cli.audit_views import AUDIT, AUDIT_CHECK
    from samaf.cli.render import write

    if not verify:
        write(AUDIT, db.audit(database()), output_format)
        return
    verdict = db.audit_verify(database())
    write(AUDIT_CHECK, [verdict], output_format)
    if verdict.broken:
        click.get_current_context().exit(1)
