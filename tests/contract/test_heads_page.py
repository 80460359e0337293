"""The page of all heads: a row, a section, a picture and a valid run-file line for each of them."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from repository_heads import HEADS

pytestmark = pytest.mark.contract

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"
PAGE = (ROOT / "docs" / "heads.md").read_text(encoding="utf-8")
ROWS = {
    line.split("`")[1]: [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.split("\n")
    if line.startswith("| [`")
}
SECTIONS = {part.partition("\n")[0]: part for part in PAGE.split("\n## ")[1:]}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    subprocess.run([sys.executable, PICTURES / "draw.py", folder], check=True)
    return folder


@pytest.mark.parametrize("head", HEADS)
def test_every_head_has_a_row_without_gaps(head):
    cells = ROWS[head]
    assert cells[0] == f"[`{head}`](#{head})"
    assert "https://arxiv.org/abs/" in cells[1]
    assert cells[2] == f"[SVG](pictures/{head}.svg)"
    assert len(cells) == len(ROWS["linear"])
    assert all(cells)


@pytest.mark.parametrize("head", HEADS)
def test_every_head_has_a_section_with_its_picture_and_readme(head):
    section = SECTIONS[head]
    assert re.search(rf"^!\[{head}: [^]]+\]\(pictures/{head}\.svg\)$", section, re.MULTILINE)
    assert f"](../plugins/{head}/README.md)" in section
    assert (ROOT / "plugins" / head / "README.md").is_file()


@pytest.mark.parametrize("head", HEADS)
def test_the_run_file_line_of_every_head_is_valid(head, tmp_path):
    from nnunet_vit.config.load import load_run

    (line,) = re.findall(r"```yaml\n(.*?)```", SECTIONS[head], re.DOTALL)
    file = tmp_path / "run.yaml"
    file.write_text(line, encoding="utf-8")
    assert load_run(file, []).model.head == head


def test_the_page_names_no_head_that_is_not_there():
    assert sorted(ROWS) == HEADS
    assert sorted(path.stem for path in PICTURES.glob("*.svg")) == HEADS


@pytest.mark.parametrize("head", HEADS)
def test_every_picture_is_what_the_script_draws(head, drawn):
    assert (PICTURES / f"{head}.svg").read_bytes() == (drawn / f"{head}.svg").read_bytes()


@pytest.mark.parametrize("head", HEADS)
def test_every_picture_leads_from_the_image_to_logits(head):
    picture = ElementTree.parse(PICTURES / f"{head}.svg")
    texts = [element.text for element in picture.iterfind(".//{*}text")]
    assert texts[0] == head
    assert {"image", "block 1", "block 12", "logits", "1"} <= set(texts)
