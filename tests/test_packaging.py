"""What setup.cfg says about the packages is what the tree holds, and what is built works."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def setup() -> ConfigParser:
    parser = ConfigParser()
    parser.read(ROOT / "setup.cfg")
    return parser


def packages_under(folder: str) -> set[str]:
    return {
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in (ROOT / folder).rglob("__init__.py")
    }


def test_every_package_is_listed(setup: ConfigParser) -> None:
    found = packages_under("samaf") | {f"samaf.{name}" for name in packages_under("migrations")}
    assert set(setup["options"]["packages"].split()) == found


def test_every_kind_of_data_file_exists(setup: ConfigParser) -> None:
    folders = {"samaf.migrations": ROOT / "migrations"}
    for package, patterns in setup["options.package_data"].items():
        folder = folders.get(package, ROOT.joinpath(*package.split(".")))
        for pattern in patterns.split():
            assert list(folder.glob(pattern)), f"{package}: {pattern}"


def test_the_workflow_runs_what_must_pass_on_every_python(setup: ConfigParser) -> None:
    workflow = (ROOT / ".github" / "workflows" / "check.yml").read_text()
    (versions,) = re.findall(r"python: \[(.+)\]", workflow)
    classifiers = re.findall(r"Python :: (3\.\d+)$", setup["metadata"]["classifiers"], re.M)
    assert re.findall(r"[\d.]+", versions) == classifiers
    before_a_change = re.findall(r"^make .+", (ROOT / ".ci" / "run").read_text(), re.M)
    assert re.findall(r"run: (.+)", workflow) == before_a_change


def run(*command: object, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command that does not see this checkout."""
    return subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_the_wheel_works_in_an_empty_environment(tmp_path: Path) -> None:
    pip = ("-m", "pip", "--disable-pip-version-check", "--retries=1")
    asked = run(sys.executable, *pip, "download", "--no-deps", "setuptools>=77", folder=tmp_path)
    if asked.returncode:
        pytest.skip("no package registry can be reached")
    sources = tmp_path / "sources"
    sources.mkdir()
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, sources)
    for name in ("samaf", "migrations"):
        shutil.copytree(ROOT / name, sources / name, ignore=shutil.ignore_patterns("__pycache__"))
    built = run(sys.executable, "-m", "build", "--outdir", "dist", sources, folder=tmp_path)
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = (tmp_path / "dist").glob("*.whl")

    assert run(sys.executable, "-m", "venv", "empty", folder=tmp_path).returncode == 0
    programs = tmp_path / "empty" / "bin"
    only_wheels = ("install", "--only-binary=:all:", "--no-compile", wheel)
    installed = run(programs / "python", *pip, *only_wheels, folder=tmp_path)
    assert installed.returncode == 0, installed.stderr
    demo = run(programs / "samaf", "demo", folder=tmp_path)
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "11 recordings stored" in demo.stdout
    assert (tmp_path / "demo" / "match.png").stat().st_size > 50_000
    here, there = (
        run(python, "-m", "samaf", "models", folder=tmp_path)
        for python in (sys.executable, programs / "python")
    )
    assert there.stdout == here.stdout != ""


def test_no_two_test_modules_share_a_name() -> None:
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert len(names) == len(set(names))  # pytest imports them by name alone
