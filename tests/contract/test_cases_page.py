"""The page that leads from a kind of input to its tests names files and tests that are there."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.contract

TESTS = Path(__file__).parents[1]
ROWS = re.findall(r"^\| (?!-|kind)(.+?) \| (.+) \|$", (TESTS / "cases/README.md").read_text(), re.M)


@pytest.mark.parametrize(("kind", "named"), ROWS, ids=[kind for kind, _ in ROWS])
def test_every_kind_of_input_has_its_tests(kind, named):
    files = [TESTS / name for name in re.findall(r"`(\S+\.py)`", named)]
    assert files and all("def test_" in file.read_text() for file in files), kind
    for test in re.findall(r"`(test_\w+)`", named):
        assert any(f"def {test}(" in file.read_text() for file in files), test


def test_the_page_is_read():
    assert len(ROWS) > 20
