"""docs/architecture.md names files, folders and rooms that are there."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.contract

ROOT = Path(__file__).parents[2]
CORE = ROOT / "core/nnunet_vit"
PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
PATHS = sorted(set(re.findall(r"`((?:[\w.-]+/)*[\w.-]+(?:\.py|/))`", PAGE)))


@pytest.mark.parametrize("path", PATHS)
def test_what_it_names_is_there(path):
    name = path.rstrip("/")
    rooms = (CORE, ROOT / "plugins", ROOT / "tests")
    places = (ROOT / path, *(found for room in rooms for found in room.rglob(name)))
    assert any(place.exists() for place in places)


def test_every_room_is_on_the_page():
    rooms = {folder.name for folder in CORE.iterdir() if (folder / "__init__.py").is_file()}
    table = PAGE.partition("## Rooms")[2].partition("## The way of a run")[0]
    assert {room for room in rooms if f"`{room}/`" not in table} == set()


def test_the_page_is_read():
    assert len(PATHS) > 30
