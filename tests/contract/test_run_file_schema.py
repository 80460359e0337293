"""The run file's JSON schema, with all heads of this repository, and the run files of pages."""

import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from schema_judge import complaints

from nnunet_vit.config.dump import run_as_yaml
from nnunet_vit.config.for_editors.run_schema import run_schema
from nnunet_vit.config.load import load_run
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.config.yaml_source import read_yaml
from nnunet_vit.errors import UserError
from nnunet_vit.registry import catalogue

pytestmark = pytest.mark.contract

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("plugins/*/README.md")]
BLOCK = re.compile(r"^```ya?ml\n(.*?)^```", re.DOTALL | re.MULTILINE)
SECTIONS = set(ViTnnUNetConfig.model_fields)
WRITTEN_BY_READERS = {"twolevel"}  # heads


def content_of(text, folder):
    (folder / "run.yaml").write_text(text, encoding="utf-8")
    try:
        source = read_yaml(folder / "run.yaml")
    except UserError:
        return {}
    return source.data if not source.problems else {}


def run_files(folder):
    """Return the run files, whole or in part, that pages and examples show, by where they stand."""
    found = {}
    for page in PAGES:
        for number, block in enumerate(BLOCK.findall(page.read_text(encoding="utf-8"))):
            content = content_of(block, folder)
            if content and set(content) <= SECTIONS:
                found[f"{page.relative_to(ROOT)} block {number}"] = content
    for path in ROOT.glob("examples/**/*.yaml"):
        content = content_of(path.read_text(encoding="utf-8"), folder)
        if content and set(content) <= SECTIONS:
            found[str(path.relative_to(ROOT))] = content
    return found


def test_it_is_a_schema():
    Draft202012Validator.check_schema(run_schema())


def test_every_run_file_of_pages_and_examples_is_accepted(tmp_path):
    found = run_files(tmp_path)
    assert {"README.md block 0", "examples/dsb2018.yaml", "examples/fundus_demo.yaml"} <= set(found)
    wrong = {
        place: complaints(content)
        for place, content in found.items()
        if content.get("model", {}).get("head") not in WRITTEN_BY_READERS
    }
    assert {place: texts for place, texts in wrong.items() if texts} == {}


@pytest.mark.parametrize("head", sorted(catalogue.installed(catalogue.HEADS)))
def test_a_whole_run_of_each_head_is_accepted_and_a_wrong_option_refused(head, tmp_path):
    (tmp_path / "run.yaml").write_text(f"model: {{head: {head}}}\n")
    (tmp_path / "whole.yaml").write_text(run_as_yaml(load_run(tmp_path / "run.yaml")))
    whole = read_yaml(tmp_path / "whole.yaml").data
    assert complaints(whole) == []
    whole["model"]["decoder"]["no_such_option"] = 1
    assert any("no_such_option" in text for text in complaints(whole))


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ({"modle": {}}, "modle"),
        ({"model": {"head": "segfromer"}}, "$.model.head"),
        ({"model": {"backbone": "dinov4"}}, "$.model.backbone"),
        ({"model": {"backbone": "dinov2", "backbone_size": "huge"}}, "$.model.backbone_size"),
        ({"model": {"backbone_size": "tiny"}}, "$.model.backbone_size"),
        ({"model": {"backbone": "retfound"}}, "$.model"),
        ({"model": {"tuning": "lorra"}}, "$.model.tuning"),
        ({"model": {"tuning": "full"}, "lora": {}}, "$"),
        ({"train": {"loss": "cldice"}}, "$.train.loss"),
        ({"train": {"loss": {"dice": 1, "focal": {"gama": 2}}}}, "$.train.loss"),
        ({"train": {"loss": {"dice": -1}}}, "$.train.loss"),
        ({"train": {"augmentation": {"elastik": 1}}}, "$.train.augmentation"),
        ({"train": {"num_epochs": "5"}}, "$.train.num_epochs"),
        ({"trackers": ["tensorbord"]}, "$.trackers"),
        ({"trackers": {"mlflow": {"experimen": "x"}}}, "$.trackers"),
        ({"data": {"stratify": True, "splits": "own.json"}}, "$.data"),
        ({"data": {"groups": "P_"}}, "$.data.groups"),
        ({"data": {"fold": -1}}, "$.data.fold"),
    ],
)
def test_mistakes_are_refused_where_they_stand(content, place):
    assert any(place in text for text in complaints(content)), complaints(content)


def test_what_is_installed_is_in_it():
    text = str(run_schema())
    for words in (
        "'segformer', 'segmenter'",
        "'retfound'",
        "'rslora'",
        "no_object_weight",
        "cldice",
    ):
        assert words in text
