"""The page in a browser and the API: serve."""

from __future__ import annotations

import click

from samaf.cli.options import audio_option, database, db_option, index_option

PORT = 8765


@click.command()
@click.option(
    "--root",
    "roots",
    metavar="FOLDER",
    multiple=True,
    type=click.Path(),
    help="A folder whose files may be chosen as clips; may be given several times.",
)
@click.option(
    "--write/--read-only",
    default=False,
    show_default="read-only",
    help="Allow decisions and labels to be written into the store.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=PORT,
    show_default=True,
    help="Port to listen on; 0 takes a free one.",
)
@click.option(
    "--host",
    metavar="ADDRESS",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; other machines reach only one that is not of loopback.",
)
@click.option(
    "--allow-host",
    "hosts",
    metavar="NAME[:PORT]",
    multiple=True,
    help="A name that requests may use besides those of loopback, such as a reverse proxy's.",
)
@click.option(
    "--user-header",
    metavar="HEADER",
    default="",
    help="Header in which a reverse proxy, which knows the token, says who signed in.",
)
@click.option(
    "--user", "users", metavar="NAME", multiple=True, help="A user that --user-header lets in."
)
@audio_option
@index_option
@db_option
def serve(
    roots: tuple[str, ...],
    write: bool,
    port: int,
    host: str,
    hosts: tuple[str, ...],
    user_header: str,
    users: tuple[str, ...],
    audio: str | None,
    index: str,
) -> None:
    """Open a page in the browser to ask, listen and decide, and an API.

    Prints a link with a secret token; Ctrl-C ends the server. Needs samaf[web].

    \b
    Example:
      samaf serve --db evidence.db --root clips/ --write
    """
    try:
        from samaf.web.server import serve as run
    except ModuleNotFoundError as error:
        if error.name not in ("starlette", "uvicorn", "jinja2", "python_multipart"):
            raise
        from samaf.errors import SamafError

        raise SamafError(
            f"samaf serve needs {error.name}, which is not installed; run: pip install 'samaf[web]'"
        ) from None
    run(
        database(),
        roots=roots,
        write=write,
        host=host,
        port=port,
        hosts=hosts,
        user_header=user_header,
        users=users,
        index=index,
        audio=audio,
        on_start=lambda link: click.echo(f"open {link}"),
    )
