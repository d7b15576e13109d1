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
from click.testing import CliRunner

import samaf
from samaf import db
from samaf.cli import cli
from samaf.demo import CLIPS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
ELSEWHERE = {
    "demo": "samaf.demo.run",
    "report": "samaf.report.writing.report",
    "report_verify": "samaf.report.repeating.repeat",
    "serve": "samaf.web.server.serve",
    "train": "samaf.training.run.train_model",
    "validate": "samaf.report.validate.validate",
}

# Private words that have a standard term in the field; ordinary uses such as a named pipe stay.
PRIVATE = re.compile(
    r"""\b(?:
    (?<!-)strangers? | findings | claims? | (?<!-)laws? |
    crowds? | hear(?:s|d|ing)? | told | asked |
    anew | mends? | named(?!\ (?:pipe|after)) | sure\ bits | same\ words | weightiest |
    learnt\ by\ heart | put\ up\ with |
    (?:speaks?|spoke|pays?|paid|vouch(?:es)?)\ for | h[au]ngs?\ over | beside\ the\ program |
    (?:go|went|gone)\ on\ apart | is\ laid\ out
    )\b""",
    re.I | re.X,
)


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


def headings(page: Path) -> set[str]:
    """Give the anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


ALL = dict(commands(cli))
GROUPS = [name for name, command in cli.commands.items() if isinstance(command, click.Group)]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]
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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_use_the_terms_of_the_field(page: Path) -> None:
    lines = page.read_text().splitlines()
    assert [line for line in lines if PRIVATE.search(line)] == []


@pytest.mark.slow
def test_sources_use_the_terms_of_the_field() -> None:
    files = [
        f for room in ("samaf", "baselines", "benchmarks") for f in (ROOT / room).rglob("*.py")
    ]
    lines = [(f.name, line) for f in files for line in f.read_text().splitlines()]
    # The salts of drawn figures stay, so that the figures do.
    kept = [each for each in lines if PRIVATE.search(each[1]) and "generator(" not in each[1]]
    assert kept == []


@pytest.mark.parametrize("name", ["", *GROUPS, *ALL])
def test_help_uses_the_terms_of_the_field(name: str) -> None:
    shown = CliRunner().invoke(cli, [*name.split(), "--help"], terminal_width=400)
    assert shown.exit_code == 0
    assert [line for line in shown.output.splitlines() if PRIVATE.search(line)] == []


def test_links_between_pages_lead_somewhere() -> None:
    anchors = {page: headings(page) for page in PAGES}
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text()):
            path, _, anchor = target.partition("#")
            linked = (page.parent / path).resolve() if path else page
            assert linked.exists(), (page, target)
            assert not anchor or anchor in anchors[linked], (page, target)


@pytest.mark.slow
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
