"""The audit log: ``samaf db audit``."""

from __future__ import annotations

import click

from samaf.cli.options import database, db_option, form_option


@click.command()
@click.option("--verify", is_flag=True, help="Compute all hashes again; exit status 1 when broken.")
@db_option
@form_option
def audit(verify: bool, form: str | None) -> None:
    """Tell who changed what and when.

    Entries are only ever added, each with a hash over itself and the entry before. --verify
    names the first that is missing or changed, and prints the newest hash: kept elsewhere, it
    vouches for all entries up to it.

    \b
    Example:
      samaf db audit --verify
    """
    from samaf import administration
    from samaf.cli.audit_views import AUDIT, AUDIT_CHECK
    from samaf.cli.render import write

    if not verify:
        write(AUDIT, administration.db_audit(database()), form)
        return
    verdict = administration.db_audit_verify(database())
    write(AUDIT_CHECK, [verdict], form)
    if verdict.broken:
        click.get_current_context().exit(1)
