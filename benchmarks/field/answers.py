"""Raw answers, one JSON line a query: what was queried is not queried again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.errors import BenchmarkError, SettingsError
from benchmarks.field.plan import NO_OTHERS, STORED

ANSWERS, SETTINGS = "answers.jsonl", "settings.json"

Key = tuple[str, str, float, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """One query and what came of it.

    Attributes
    ----------
    clip, speaker
        The recording that it was cut from, and who speaks.
    condition, seconds
        How it was made worse, and its length as it plays.
    without
        What the store lacks, see ``plan.WITHOUT``.
    start, pace, parameters
        See ``excerpts.Excerpt``.
    matches
        As given with the program's defaults, best first: recording, query and reference
        (start and stop, s), ber, score, log10_lr, manipulation.
    candidates
        Best first at any score, each recording once: recording, score, and its evidence.
    elapsed
        Seconds that the query took.
    reason
        Why there was nothing to search for.
    part
        Recordings that were searched in beside the clip's own; 0 for all.
    """

    clip: str
    speaker: str
    condition: str
    seconds: float
    without: str
    start: float
    pace: float
    parameters: dict[str, float]
    matches: list[dict[str, Any]]
    candidates: list[dict[str, Any]] = field(default_factory=list)
    elapsed: float = 0.0
    reason: str = ""
    part: int = 0

    @property
    def key(self) -> Key:
        """What tells it from all other queries of a run."""
        return self.clip, self.condition, self.seconds, self.without

    @property
    def stored(self) -> bool:
        """Whether its recording is stored."""
        return self.without in (STORED, NO_OTHERS)

    @property
    def score(self) -> float:
        """Of the best match; 0 without one."""
        return float(self.matches[0]["score"]) if self.matches else 0.0

    @property
    def right(self) -> bool:
        """Whether the best match is the right recording."""
        return bool(self.stored and self.matches and self.is_right(self.matches[0]))

    @property
    def wrong(self) -> bool:
        """Whether the best match is another recording."""
        return bool(self.matches) and not self.right

    @property
    def right_first(self) -> bool:
        """Whether the right recording comes first at any score."""
        return bool(self.stored and self.candidates and self.is_right(self.candidates[0]))

    def is_right(self, match: dict[str, Any]) -> bool:
        """Whether a match or candidate names the recording that the clip was cut from."""
        return bool(match["recording"] == self.clip)


class AnswerFile:
    """The answers of one run in a folder.

    Raises
    ------
    SettingsError
        The folder holds answers that were measured in another way.
    """

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.path = folder / ANSWERS
        known = folder / SETTINGS
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if known.is_file():
                found = json.loads(known.read_text("utf-8"))
                for name, value in settings.items():
                    if found.get(name) != value:
                        raise SettingsError(
                            f"{folder}: was measured with {name} {found.get(name)!r}, not "
                            f"{value!r}; name another folder with --out"
                        )
            else:
                known.write_text(json.dumps(settings, indent=1) + "\n", "utf-8")
            self._mend()
        except (OSError, json.JSONDecodeError) as error:
            raise BenchmarkError(f"{folder}: cannot be used ({error}); name another") from None

    def _mend(self) -> None:
        """Cut off a last line that was not written in full."""
        if self.path.is_file():
            data = self.path.read_bytes()
            whole = data.rfind(b"\n") + 1
            if whole < len(data):
                with self.path.open("r+b") as file:
                    file.truncate(whole)

    def append(self, answers: list[Answer]) -> None:
        """Write answers behind the others."""
        lines = "".join(json.dumps(asdict(answer)) + "\n" for answer in answers)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(lines)

    def keys(self) -> set[Key]:
        """Give the keys of all queries that were made."""
        return {answer.key for answer in self.read()}

    def read(self) -> Iterator[Answer]:
        """Read all answers."""
        return read_answers(self.path)


def read_answers(path: Path) -> Iterator[Answer]:
    """Read the answers of a file; none where there is no file."""
    if path.is_file():
        with path.open(encoding="utf-8") as file:
            for line in file:
                yield Answer(**json.loads(line))
