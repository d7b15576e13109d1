"""What setup.cfg says about the packages is what the tree holds."""

from __future__ import annotations

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
