"""A family of a package that only the test installs, through the entry-point group."""

import sys

import pytest

from nnunet_vit import backbones
from nnunet_vit.errors import PluginError

pytestmark = pytest.mark.unit

NEEDED = "needed: nnunet_vit.backbones.family.BackboneFamily."
NOT_THERE = "No module named 'surely_not_there'"
FIX = "Fix: install what it misses, fix it, upgrade it or uninstall it."
SOURCE = """
from nnunet_vit.backbones.family import BackboneFamily
from nnunet_vit.hookspecs import hookimpl

@hookimpl
def backbone_family():
    return BackboneFamily(
        name="{name}", summary="of a test", timm_name="test_vit{{size}}.r160_in1k",
        sizes=("", "2"), default_size="2", patch_size=16, licence="MIT",
        mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5),
    )
"""


def refusal(name):
    with pytest.raises(PluginError) as caught:
        backbones.family(name)
    return str(caught.value)


def test_it_is_found_by_name_and_built(fake_backbone):
    from nnunet_vit.modeling.backbone import create_backbone, pretrained_weights

    fake_backbone("mine", SOURCE.format(name="mine"))
    assert backbones.family("mine").mean == (0.5, 0.5, 0.5)
    assert backbones.timm_name("mine", None) == "test_vit2.r160_in1k"
    with pretrained_weights(wanted=False):
        model, patch, name = create_backbone("mine", "2", image_size=(32, 48))
    assert (len(model.blocks), patch, name) == (8, 16, "test_vit2.r160_in1k")


def test_a_run_file_names_it(fake_backbone, tmp_path):
    from nnunet_vit.config.load import load_run

    fake_backbone("mine", SOURCE.format(name="mine"))
    (tmp_path / "run.yaml").write_text("model: {head: linear, backbone: mine}\n")
    model = load_run(tmp_path / "run.yaml").model
    assert (model.backbone, model.backbone_size) == ("mine", "2")


def test_it_is_not_imported_for_another_family(fake_backbone):
    module = fake_backbone("mine", "raise SystemExit('imported')")
    assert backbones.family("dinov3").name == "dinov3"
    assert module not in sys.modules


def test_it_is_listed(fake_backbone):
    from nnunet_vit.report.listing import backbone_rows

    fake_backbone("mine", SOURCE.format(name="mine"), version="3.1")
    assert next(row for row in backbone_rows() if row["name"] == "mine") == {
        "name": "mine", "sizes": ["", "2"], "patch_size": 16, "patch_sizes": {"": 16, "2": 16},
        "licence": "MIT", "weights": "fetched from timm's repositories on the model hub",
        "fetched": True, "timm_modules": {}, "summary": "of a test",
        "distribution": "x-backbone", "problem": "",
    }  # fmt: skip


def test_it_may_not_take_the_name_of_a_family_that_is_here(fake_backbone):
    fake_backbone("dinov3", SOURCE.format(name="dinov3"))
    assert refusal("dinov3") == (
        "The backbone 'dinov3' comes from nnunet-vit and from x-backbone 1.0. "
        "Fix: pip uninstall x-backbone."
    )
    assert backbones.family("dinov2").name == "dinov2"


def test_two_packages_with_one_name(fake_backbone):
    for distribution in ("first-backbone", "second-backbone"):
        fake_backbone("mine", SOURCE.format(name="mine"), distribution=distribution)
    assert refusal("mine") == (
        "The backbone 'mine' is provided by 2 distributions: second-backbone 1.0 and "
        "first-backbone 1.0. Fix: pip uninstall first-backbone (or second-backbone)."
    )


def test_a_package_without_the_hook(fake_backbone):
    fake_backbone("mine", "x = 1")
    assert refusal("mine") == (
        "Plugin 'mine' (x-backbone 1.0) has no backbone_family; it has: no hook. "
        "Fix: decorate a function backbone_family with nnunet_vit.hookspecs.hookimpl."
    )


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("return None", f"returned NoneType; {NEEDED}"),
        ("return 'dinov3'", f"returned str; {NEEDED}"),
        ("return BackboneFamily", f"returned type; {NEEDED}"),
        ("raise ValueError('no')", f"failed: ValueError: no. {FIX}"),
        ("raise SystemExit", f"failed: SystemExit: no message. {FIX}"),
        ("import surely_not_there", f"failed: ModuleNotFoundError: {NOT_THERE}. {FIX}"),
    ],
)
def test_a_hook_that_returns_no_family(fake_backbone, body, text):
    fake_backbone("mine", f"{SOURCE.partition('@')[0]}@hookimpl\ndef backbone_family(): {body}\n")
    assert refusal("mine") == f"Plugin 'mine' (x-backbone 1.0): backbone_family {text}"
