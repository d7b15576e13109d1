"""The audit log: ``samaf db audit``."""

from __future__ import annotations

import click

from samaf.cli.options import database, db_option, output_format_option


@click.command()
@click.option(
    "--verify", is_flag=True, help="Compute all hashes and compare; exit status 1 if one differs."
)
@db_option
@output_format_option
def audit(verify: bool, output_format: str | None) -> None:
    """Show who changed what and when.

    The log is append-only: each entry has a hash over itself and the previous entry. --verify
    reports the first entry that is missing or changed, and prints the newest hash, which,
    stored elsewhere, covers all entries up to it.

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
