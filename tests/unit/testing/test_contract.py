"""What the contract is checked on, its excuses, and the class that a test file inherits from."""

import subprocess
import sys
from collections import Counter
from types import MappingProxyType

import pytest

from nnunet_vit.testing import HeadContract
from nnunet_vit.testing.checks.between import pairs, singles, smallest
from nnunet_vit.testing.checks.options import choices
from nnunet_vit.testing.rules import RULES
from nnunet_vit.testing.small_vits import SMALL_VITS, Case

pytestmark = pytest.mark.unit


class Faulty(HeadContract):
    head = "faulty"


def test_every_rule_has_a_test_and_every_test_a_rule():
    tests = {name.removeprefix("test_") for name in vars(HeadContract) if name.startswith("test_")}
    assert tests == set(RULES)


def test_the_backbones_cover_patches_and_a_single_block():
    assert {vit.patch_size for vit in SMALL_VITS.values()} == {8, 14, 16}
    assert min(vit.depth for vit in SMALL_VITS.values()) == 1


@pytest.mark.parametrize("name", SMALL_VITS)
def test_a_small_backbone_is_the_real_class(name):
    import timm
    import torch

    from nnunet_vit.modeling.backbone import backbone_of
    from nnunet_vit.testing.building import build

    case = Case(name)
    backbone = backbone_of(build("linear", case, case.pixels(2, 3)))
    with torch.device("meta"):
        full = timm.create_model(case.vit.timm_name)
    assert type(backbone.model) is type(full)
    assert type(backbone.model.blocks[0]) is type(full.blocks[0])
    assert (backbone.patch_size, backbone.depth) == (case.vit.patch_size, case.vit.depth)
    assert sum(value.numel() for value in backbone.parameters()) < 500_000


def test_the_names_of_the_small_ones_appear_in_no_module_of_timm():
    import timm

    from nnunet_vit.testing.building import run_of

    run_of("linear", Case("dinov3"))
    assert not [name for name in timm.list_models(module="vision_transformer") if "tiny_d" in name]


def test_cases(faulty):
    faulty()
    cases = Faulty().cases(RULES["shapes"])
    assert [str(case) for case in cases] == [
        *SMALL_VITS,
        "dinov3, gated: True",
        "dinov2, gated: True",
    ]
    slow = Faulty().cases(RULES["compile"])
    assert [str(case) for case in slow] == ["dinov3", "dinov2", "dinov3, gated: True"]
    assert Faulty().cases(RULES["imports"]) == [None]


def test_own_options_and_backbones(faulty):
    faulty()

    class Own(Faulty):
        options = ({"width": 4}, {"width": 8})
        backbones = ("mae", "siglip", "eva02")

    counted = Counter(case.backbone for case in Own().cases(RULES["shapes"]))
    assert counted == {"mae": 2, "siglip": 2, "eva02": 1}


def test_choices_and_least_values(faulty):
    faulty(("width: int", "hidden_size: int"), ("options.width", "options.hidden_size"))
    assert choices("faulty") == [{"hidden_size": 32}, {"hidden_size": 32, "gated": True}]
    assert smallest("faulty") == [{"hidden_size": 4}]
    between = [5, 9, 12]
    assert singles("faulty") == [
        *({"hidden_size": value} for value in between), {"gated": True}, {"gated": False},
    ]  # fmt: skip
    assert len(pairs("faulty")) == 2 * len(between)
    assert {tuple(pair) for pair in pairs("faulty")} == {("hidden_size", "gated")}


@pytest.mark.parametrize(("rule", "name"), [("compile", "COMPILABLE"), ("export", "EXPORTABLE")])
def test_a_head_may_say_what_it_cannot(faulty, checked, rule, name):
    branch = "logits = logits if logits.sum().item() > 0 else -logits"
    finest = "            finest = functional"
    faulty(
        ("from typing", f'NOT_{name} = "it asks the values"\nfrom typing'),
        (finest, f"            {branch}\n{finest}"),
    )
    assert checked(rule) == "said not to be: it asks the values"


def test_the_class_may_say_it_too(faulty):
    faulty()

    class Excused(Faulty):
        excuses = MappingProxyType({"export": "no reason"})

    assert Excused().check(RULES["export"], Case("dinov3")) == "said not to be: no reason"
    assert Excused().check(RULES["options"]) == "2 in all"


def test_a_file_of_five_lines(tmp_path):
    """pytest finds every rule on every case, and fails where the head is not installed."""
    file = tmp_path / "test_linear.py"
    file.write_text(
        "from nnunet_vit.testing import HeadContract\n\n\n"
        "class TestLinear(HeadContract):\n    head = 'linear'\n"
    )
    pytest_ = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file)]
    listed = subprocess.run([*pytest_, "--collect-only"], capture_output=True, text=True, cwd="/")
    assert "test_linear.py::TestLinear::test_alignment[eva02]" in listed.stdout
    assert f"{5 + 9 * 5 + 3 * 2} tests collected" in listed.stdout
    file.write_text(file.read_text().replace("'linear'", "'no_such_head'"))
    done = subprocess.run([*pytest_, "-k", "options"], capture_output=True, text=True, cwd="/")
    assert done.returncode == 1
    assert "Unknown head 'no_such_head'" in done.stdout
