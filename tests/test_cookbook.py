"""The commands of the cookbook, run as they stand there, give the output that stands there.

``SAMAF_WRITE_COOKBOOK=1`` writes what they give into the pages.
"""

from __future__ import annotations

import configparser
import os
import re
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from samaf.cli import cli

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs" / "cookbook").glob("*.md"))
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.M | re.S)
UNIT = re.compile(r"^```ini\n(.*?)^```$", re.M | re.S)
MARK = "\x1e"
PORT = "8123"  # of a server in a page; the test takes a free one
FOLDER = "/srv/samaf"  # in which the pages say that they run
# What differs from run to run.
VARIABLE = (
    (r"\d{4}-\d\d-\d\d(?:T[\d:.]+(?:\+00:00)?)?", "TIME"),
    (r"\b\d\d:\d\d:\d\d\b", "TIME"),
    (r"[\d,]+ x real time", "N x real time"),
    (r"(?<= )0x[0-9a-f]+", "ADDRESS"),
)


def commands(block: str) -> list[tuple[str, str]]:
    """Give each command of a block, and the output that stands below it."""
    parts = re.split(r"^\$ ", block, flags=re.M)
    assert not parts[0], "a block begins with a command"
    found = []
    for part in parts[1:]:
        first, *lines = part.splitlines()
        command = [first]
        while lines and lines[0].startswith("> "):
            command.append(lines.pop(0)[2:])
        found.append(("\n".join(command), "\n".join(lines)))
    return found


def same(text: str) -> str:
    for pattern, name in VARIABLE:
        text = re.sub(pattern, name, text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def run(lines: list[str], folder: Path) -> list[str]:
    """Run commands in one shell; give the output of each."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
    script = f"exec 2>&1\nprintf '{MARK}'\n" + "".join(
        f"{line.replace(PORT, port)}\nprintf '{MARK}'\n" for line in lines
    )
    (folder / "docs").symlink_to(ROOT / "docs")
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "XDG_CACHE_HOME": str(folder / ".cache"),
        "XDG_DATA_HOME": str(folder / ".data"),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "COLUMNS": "100",
    }
    done = subprocess.run(
        ["bash", "-c", script + "\nkill $(jobs -p) 2>/dev/null; wait"],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    outputs = done.stdout.replace(port, PORT).replace(str(folder), FOLDER).split(MARK)
    return outputs[1 : len(lines) + 1]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_gives_its_output(page: Path, tmp_path: Path) -> None:
    text = page.read_text()
    expected = [each for block in BLOCK.findall(text) for each in commands(block)]
    assert expected
    outputs = run([command for command, _ in expected], tmp_path)
    if os.environ.get("SAMAF_WRITE_COOKBOOK"):
        written = iter(outputs)

        def filled(block: re.Match[str]) -> str:
            lines = []
            for command, _ in commands(block[1]):
                output = "\n".join(line.rstrip() for line in next(written).strip().splitlines())
                shown = command.replace("\n", "\n> ")
                lines.append(f"$ {shown}\n{output}\n" if output else f"$ {shown}\n")
            return "```console\n" + "".join(lines) + "```"

        page.write_text(BLOCK.sub(filled, text))
        return
    for (command, output), given in zip(expected, outputs, strict=True):
        assert (command, same(given)) == (command, same(output))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_units_run_commands_that_exist(page: Path) -> None:
    for text in UNIT.findall(page.read_text()):
        unit = configparser.ConfigParser(interpolation=None, strict=False)
        unit.optionxform = str  # type: ignore[assignment,method-assign]
        unit.read_string(text)
        if unit.has_option("Service", "ExecStart"):
            program, name, *arguments = shlex.split(unit["Service"]["ExecStart"])
            assert Path(program).name == "samaf"
            cli.commands[name].make_context(name, arguments)
