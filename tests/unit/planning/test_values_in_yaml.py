"""The planned run file: the user's comments, order and values stay, each new value has a reason."""

import pytest

from nnunet_vit.config.yaml_source import yaml_of
from nnunet_vit.planning.reasons import Planned
from nnunet_vit.planning.values_in_yaml import planned_text

pytestmark = pytest.mark.unit

VALUES = [
    Planned("recipe", 2, "why two"),
    Planned("model.tuning", "lora", "why lora"),
    Planned("train.patch_size", [512, 640], "why this patch"),
    Planned("train.batch_size", 4, "why four"),
    Planned("train.gradient_checkpointing", True, "why again"),
]
BLOCK = """\
# mine
model:
    head: linear   # of mine
    # about sizes
    decoder: {dropout: 0.0}

# training
train:
    batch_size: null  # later
    # about epochs
    num_epochs: 5
# the end
"""
BRACES = """\
model: {head: linear, backbone: 'timm:test_vit'}  # small
train: {num_epochs: 5, weight_decay: 1.0e-03,
        batch_size: null}   # short
"""
NESTED = """\
trackers:
  mlflow:
    experiment: cells   # here

# about the model
model:
  head: linear
"""


@pytest.mark.parametrize(
    "text", [BLOCK, BRACES, NESTED, "train: null\n", "model: {}\n", "data:\n  fold: [0, 1]\n"]
)
def test_values_reasons_and_all_that_was_there(text):
    planned = planned_text(text, VALUES)
    before, after = yaml_of(text, "before"), yaml_of(planned, "after")
    assert after.problems == []
    for value in VALUES:
        name, _, key = value.key.rpartition(".")
        section = after.data[name] if name else after.data
        assert section.pop(key) == value.value
        line = planned.splitlines()[after.line(tuple(value.key.split("."))) - 1]
        assert f"# {value.reason}" in line
        (before.data.get(name) or {}).pop(key, None)
    kept = {name: section for name, section in after.data.items() if section}
    assert kept == {name: section for name, section in before.data.items() if section}
    comments = [line.partition("#")[2].strip() for line in text.splitlines() if "#" in line]
    assert [comment for comment in comments if comment not in planned] == []


def test_lines_between_sections_stay_between_them():
    lines = planned_text(BLOCK, VALUES).splitlines()
    assert lines[0] == "# mine"
    assert lines[lines.index("# training") - 1 : lines.index("# training") + 2] == [
        "",
        "# training",
        "train:",
    ]
    assert lines.index("    tuning: lora   # why lora") < lines.index("# training")
    assert "    batch_size: 4     # why four; later" in lines
    assert lines[-1] == "# the end"


def test_what_is_written_is_written_again_unchanged():
    once = planned_text(NESTED, VALUES)
    again = planned_text(once, [])
    assert again == once
