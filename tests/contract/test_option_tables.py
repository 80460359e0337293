"""The tables of options in README and docs are what the models say."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import Field

from nnunet_vit.config.models import ViTnnUNetConfig, ViTTrainConfig
from nnunet_vit.hookspecs import HeadOptions

pytestmark = pytest.mark.contract

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "docs/option_tables.py"


@pytest.fixture
def tables():
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("option_tables", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def wanted(tables, *pages):
    """Return what the markers of these pages ask for, a word each."""
    text = "".join((ROOT / page).read_text(encoding="utf-8") for page in pages)
    return " ".join(what for _, what, _ in tables.TABLE.findall(text)).split()


def test_the_pages_say_what_the_models_say():
    done = subprocess.run([sys.executable, SCRIPT, "--check"], capture_output=True, text=True)
    assert (done.stderr, done.returncode) == ("", 0)


def test_another_default_is_noticed(tables, monkeypatch, capsys):
    monkeypatch.setattr(ViTTrainConfig.model_fields["num_epochs"], "default", 7)
    monkeypatch.setattr(sys, "argv", ["option_tables.py", "--check"])
    with pytest.raises(SystemExit) as stop:
        tables.main()
    assert stop.value.code == (
        "docs/run_file.md: tables differ from the models. Fix: python docs/option_tables.py."
    )
    ((path, text),) = tables.differing().items()
    before = path.read_text(encoding="utf-8")
    assert text == before.replace("at least 1 | `1000` | epochs", "at least 1 | `7` | epochs")


def test_every_section_and_head_has_a_table(tables):
    assert {*ViTnnUNetConfig.model_fields, "heads"} <= {*wanted(tables, "docs/run_file.md")}
    assert "linear" in tables.heads()
    for head in tables.heads():
        assert wanted(tables, f"plugins/{head}/README.md") == ["head", head]


def test_bounds_defaults_and_meaning_of_a_row(tables):
    class Options(HeadOptions):
        rate: float = Field(1e-05, gt=0, le=1, description="a|b")
        names: list[str] | None = Field(None, max_length=2, description="names")

    header, ruler, *rows = tables.markdown(
        ("option", *tables.COLUMNS), tables.options(Options)
    ).splitlines()
    assert header == "| option | values | default | meaning |"
    assert ruler == "|---|---|---|---|"
    assert rows == [
        r"| `rate` | a number greater than 0 and at most 1 | `0.00001` | a\|b |",
        "| `names` | a list of at most 2 values, each a string, or null | `null` | names |",
    ]


def test_a_field_without_a_description_is_an_error(tables):
    class Options(HeadOptions):
        rate: float = Field(1.0, gt=0, le=1)

    with pytest.raises(ValueError, match=r"Options\.rate has no description"):
        list(tables.options(Options))


def test_a_table_without_its_end_is_an_error(tables, tmp_path, monkeypatch):
    (tmp_path / "README.md").write_text(f"{tables.MARK}data -->\n\n{tables.MARK}lora -->\n")
    monkeypatch.setattr(tables, "ROOT", tmp_path)
    with pytest.raises(ValueError, match=r"README\.md: a table of options has no <!-- end -->"):
        tables.differing()
