"""What the commands share: errors in one line, and words of which some are chosen."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from benchmarks.errors import BenchmarkError
from samaf.errors import SamafError


def friendly(command: Callable[..., None]) -> Callable[..., None]:
    """Say in one line what went wrong."""

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except SamafError as error:
            raise click.ClickException(str(error)) from None

    return wrapped


def some(option: str, text: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """Read words with commas between, in the order of those that are known.

    Raises
    ------
    BenchmarkError
        One of them is not known.
    """
    words = {word.strip() for word in text.split(",")}
    if not words <= set(known):
        raise BenchmarkError(f"{option} {text}: choose some of {','.join(known)}")
    return tuple(word for word in known if word in words)
