"""``python -m benchmarks GROUP``: everything that is measured, and the tables made of it."""

from __future__ import annotations

from importlib import import_module

import click

from samaf.errors import SamafError

# A group is the ``command`` of a module; one line each.
GROUPS = {
    "accuracy": "benchmarks.accuracy.commands",
    "calibration": "benchmarks.calibration.commands",
    "cluster": "benchmarks.cluster.commands",
    "field": "benchmarks.field.commands",
    "serve": "benchmarks.serve.commands",
    "shared": "benchmarks.shared.commands",
    "speed": "benchmarks.speed.commands",
    "stores": "benchmarks.stores.commands",
    "streams": "benchmarks.streams.commands",
    "unet": "benchmarks.unet.commands",
    "verification": "benchmarks.verification.commands",
}


class Groups(click.Group):
    """Imports a group when it is called, and ends what the user can fix in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the groups."""
        return list(GROUPS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import a group."""
        command: click.Command | None = None
        if name in GROUPS:
            command = import_module(GROUPS[name]).command
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except SamafError as error:
            raise click.ClickException(str(error)) from None


@click.group(cls=Groups, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Measure samaf and the baselines on the same clips by the same rules."""


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
