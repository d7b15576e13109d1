"""Commands, Python verbs and documentation name the same things."""

from __future__ import annotations

import ast
import importlib.util
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import samaf
from samaf import db
from samaf.cli import cli
from samaf.demo import CLIPS

DOCS = Path(__file__).parents[1] / "docs"
ELSEWHERE = {"demo": "samaf.demo.run", "train": "samaf.training.run.train_model"}


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


ALL = dict(commands(cli))
PAGE = (DOCS / "commands.md").read_text()
SECTIONS = dict(re.findall(r"^## samaf (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S))


def test_every_command_has_a_section_and_every_section_a_command() -> None:
    assert list(SECTIONS) == list(ALL)


@pytest.mark.parametrize("name", ALL)
def test_a_section_names_example_options_and_verb(name: str) -> None:
    section = SECTIONS[name]
    assert re.search(rf"^    samaf {name}", section, re.M)
    for option in ALL[name].params:
        if isinstance(option, click.Option) and not option.hidden:
            assert any(word in section for word in option.opts), option.opts
    verb = re.sub("[ -]", "_", name)
    (told,) = re.findall(r"^Python: `(.+)`$", section, re.M)
    if verb in ELSEWHERE:
        assert told == ELSEWHERE[verb]
        module, _, function = told.rpartition(".")
        spec = importlib.util.find_spec(module)
        assert spec
        assert spec.origin
        tree = ast.parse(Path(spec.origin).read_text())
        assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    else:
        holder = {
            "Engine": samaf.Engine,
            "samaf": samaf,
            "samaf.db": db,
        }
        place, _, function = told.rpartition(".")
        assert function.rstrip("_") == verb.removeprefix("db_")
        assert callable(getattr(holder[place], function))


@pytest.mark.parametrize("name", ALL)
def test_help_has_an_example(name: str) -> None:
    text = ALL[name].help or ""
    assert re.search(rf"Example:\n  +samaf {name}", text)
    assert ALL[name].get_short_help_str(60)


def test_the_python_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "recordings").mkdir()
    for clip in sorted(CLIPS.iterdir())[:3]:
        shutil.copy(clip, "recordings")
    cells = re.findall(r"^```python\n(.*?)^```", (DOCS / "python.md").read_text(), re.M | re.S)
    assert len(cells) > 5
    names: dict[str, object] = {}
    for cell in cells:
        exec(compile(cell, "docs/python.md", "exec"), names)
    assert names["answer"].matches[0].recording.name == "bruno-garden.ogg"  # type: ignore[attr-defined]
