"""What must hold between the keys, and between them and what is installed."""

import os
import sys
from pathlib import Path

import pytest

from nnunet_vit.errors import PluginError

pytestmark = pytest.mark.unit

NAME = "a name of letters, digits, '_', '-' and '.'"
MODULE = "allowed: a dotted module name like my_package.my_model"
WEIGHTS = (
    "allowed: a weights file, a folder with config.json from the Hugging Face hub, or '' for the "
    "published weights"
)
HEAD = """
from nnunet_vit.hookspecs import hookimpl

@hookimpl
def create_segmentation_model(num_classes): ...
"""


def test_head_and_model_path_together(faults_of):
    assert faults_of("model:\n  head: tiny\n  model_path: my.model\n") == (
        "run.yaml, line 3, model.model_path: given 'my.model' together with head 'tiny'; "
        "allowed: one of the two"
    )


def test_an_unknown_head(faults_of):
    assert faults_of("model:\n  head: tinny\n") == (
        "run.yaml, line 2, model.head: Unknown head 'tinny'. Did you mean 'tiny'? "
        "Installed: segformer, tiny. Fix: choose an installed head "
        "(`vit_cli list-models` shows them)."
    )


@pytest.mark.parametrize("name", ["a/b", "../x", "a b", "\x1b[31m", "x" * 101, ""])
def test_a_head_that_cannot_be_a_name(faults_of, name):
    text = 'model:\n  head: "{}"\n'.format(name.replace("\x1b", "\\e"))
    given = repr(name) if len(name) < 60 else "'" + "x" * 58 + "…"
    assert faults_of(text) == f"run.yaml, line 2, model.head: given {given}; allowed: {NAME}"


def test_a_head_of_two_distributions_is_a_plugin_error(run_of, fake_head):
    fake_head("tiny", HEAD, "other-head", "2.0")
    with pytest.raises(PluginError) as caught:
        run_of("model: {head: tiny}\n")
    assert str(caught.value) == (
        "The head 'tiny' is provided by 2 distributions: other-head 2.0 and tiny-head 1.0. "
        "Fix: pip uninstall tiny-head (or other-head)."
    )


def test_a_broken_head_is_a_plugin_error_or_one_of_the_problems(run_of, faults_of, fake_head):
    fake_head("broken", "import surely_not_there\n", "broken-head")
    text = (
        "Plugin 'broken' (broken-head 1.0) failed: ModuleNotFoundError: "
        "No module named 'surely_not_there'. "
        "Fix: install what it misses, fix it, upgrade it or uninstall it."
    )
    with pytest.raises(PluginError) as caught:
        run_of("model: {head: broken}\n")
    assert str(caught.value) == text
    assert faults_of("model:\n  head: broken\n  freeze_backbone: 1\n") == (
        "run.yaml: 2 problems\n"
        f"  line 2, model.head: {text}\n"
        "  line 3, model.freeze_backbone: given 1; allowed: true or false"
    )


@pytest.mark.parametrize(
    "path",
    ["../../x.py", "file:///x", "http://x.org/y", "~/x", "a.*", "hub:org/name", "a..b", "", "a b"],
)
def test_a_model_path_that_is_no_module_name_is_not_imported(faults_of, path):
    before = set(sys.modules)
    assert faults_of(f"model:\n  model_path: '{path}'\n") == (
        f"run.yaml, line 2, model.model_path: given '{path}'; {MODULE}"
    )
    assert set(sys.modules) == before


@pytest.mark.parametrize(
    ("written", "given"), [('"a\\0b"', "'a\\x00b'"), ("a" * 10000, "'" + "a" * 58 + "…")]
)
def test_a_model_path_that_is_no_text_for_people(faults_of, written, given):
    assert faults_of(f"model:\n  model_path: {written}\n") == (
        f"run.yaml, line 2, model.model_path: given {given}; {MODULE}"
    )


@pytest.mark.parametrize("path", ["os.system", "surely_not_there"])
def test_a_model_path_that_names_no_module(faults_of, path):
    assert faults_of(f"model:\n  model_path: {path}\n") == (
        f"run.yaml, line 2, model.model_path: Module '{path}' (model_path) cannot be found. "
        "Fix: put its folder on PYTHONPATH, or install its package."
    )


def test_a_model_path_whose_module_lacks_another(faults_of, tmp_path, monkeypatch):
    (tmp_path / "half_there.py").write_text("import surely_not_there\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert faults_of("model:\n  model_path: half_there\n") == (
        "run.yaml, line 2, model.model_path: Module 'half_there' (model_path) failed: "
        "ModuleNotFoundError: No module named 'surely_not_there'. "
        "Fix: install what it misses, fix it, upgrade it or uninstall it."
    )


def test_a_model_path_without_the_function(faults_of):
    assert faults_of("model:\n  model_path: json.tool\n") == (
        "run.yaml, line 2, model.model_path: Module 'json.tool' (model_path) has no "
        "create_segmentation_model; it has: no hook. "
        "Fix: write a function create_segmentation_model in the module."
    )


@pytest.mark.parametrize(
    ("lines", "path", "text"),
    [
        (
            "backbone: dinov4",
            "backbone",
            "Unknown backbone 'dinov4'. Did you mean 'dinov3'? Installed: {families}, timm:<name>. "
            "Fix: choose an installed backbone (`vit_cli list-models` shows them).",
        ),
        ("backbone: ../x", "backbone", f"given '../x'; allowed: {NAME}"),
        (
            "backbone_size: larg",
            "backbone_size",
            "Backbone 'dinov3' has no size 'larg'. Did you mean 'large'? "
            "Sizes: small, small_plus, base, large, huge_plus, 7b.",
        ),
        (
            "backbone: 'timm:'",
            "backbone",
            "given 'timm:'; allowed: timm:<name>, like timm:vit_base_patch16_224, or "
            "timm:hf-hub:OWNER/NAME",
        ),
        (
            "backbone: timm:local-dir:x/y",
            "backbone",
            "given 'timm:local-dir:x/y'; allowed: timm:<name>, like timm:vit_base_patch16_224, or "
            "timm:hf-hub:OWNER/NAME",
        ),
    ],
)
def test_the_backbone(faults_of, lines, path, text):
    from nnunet_vit.backbones import own_families

    expected = text.format(families=", ".join(own_families()))
    assert faults_of(f"model:\n  {lines}\n") == f"run.yaml, line 2, model.{path}: {expected}"


def test_a_size_beside_a_timm_name(faults_of):
    text = "model:\n  backbone: timm:vit_tiny_patch16_224\n  backbone_size: large\n"
    assert faults_of(text) == (
        "run.yaml, line 3, model.backbone_size: given 'large' with backbone "
        "'timm:vit_tiny_patch16_224'; allowed: null, because a timm name holds its size"
    )


def test_a_size_is_not_judged_by_a_default_backbone(faults_of):
    assert faults_of("model:\n  backbone: 5\n  backbone_size: giant\n") == (
        "run.yaml, line 2, model.backbone: given 5; allowed: a string"
    )


def test_random_weights_and_a_weights_file(faults_of, run_folder):
    Path("weights.pth").touch()
    assert faults_of("model:\n  checkpoint_path: weights.pth\n  pretrained: false\n") == (
        "run.yaml, line 3, model.pretrained: given false together with checkpoint_path "
        "'weights.pth'; allowed: one of the two"
    )


@pytest.mark.parametrize(
    ("written", "given", "fault"),
    [
        ("no.pth", "'no.pth'", "no such file: {folder}/no.pth"),
        (".", "'.'", "a folder without config.json: {folder}"),
        ("loop", "'loop'", "no such file: {folder}/loop"),
        ("$HOME/x", "'$HOME/x'", "no such file: {folder}/$HOME/x"),
        ("${HOME}", "'${{HOME}}'", "no such file: {folder}/${{HOME}}"),
        ("~/x", "'~/x'", "no such file: {folder}/home/x"),
        ("~nobody_here/x", "'~nobody_here/x'", "no such file: {folder}/~nobody_here/x"),
        ('"~\\0"', "'~\\x00'", "no path"),
    ],
)
def test_a_weights_file_that_is_not_there(
    faults_of, run_folder, monkeypatch, written, given, fault
):
    monkeypatch.setenv("HOME", str(run_folder / "home"))
    os.symlink("loop", "loop")
    place = "run.yaml, line 2, model.checkpoint_path"
    expected = f"{place}: given {given}; {fault}; {WEIGHTS}".format(folder=run_folder)
    assert faults_of(f"model:\n  checkpoint_path: {written}\n") == expected


@pytest.mark.parametrize(
    ("backbone", "size", "step", "nearest"),
    [
        ("dinov3", "[220, 224]", 16, "[208, 224] or [224, 224]"),
        ("dinov2", "[224, 512]", 14, "[224, 504] or [224, 518]"),
        ("dinov3", "[8, 16]", 16, "[16, 16]"),
    ],
)
def test_a_patch_size_that_the_backbone_cannot_divide(faults_of, backbone, size, step, nearest):
    text = f"model:\n  backbone: {backbone}\ntrain:\n  patch_size: {size}\n"
    assert faults_of(text) == (
        f"run.yaml, line 4, train.patch_size: given {size}; allowed: multiples of {step}, "
        f"the patch of backbone '{backbone}'; nearest: {nearest}"
    )


@pytest.mark.parametrize(
    ("model", "size", "step", "origin", "nearest"),
    [
        ("backbone: dinov2\n  patch_size: 16", "[224, 500]", 16, "model.vit_patch_size",
         "[224, 496] or [224, 512]"),
        ("backbone: timm:anything\n  vit_patch_size: 12", "[24, 13]", 12, "model.vit_patch_size",
         "[24, 12] or [24, 24]"),
        ("pretrained: false\n  backbone: retfound\n  backbone_size: dinov2_meh", "[224, 256]", 14,
         "the patch of backbone 'retfound'", "[224, 252] or [224, 266]"),
        ("pretrained: false\n  backbone: retfound", "[224, 252]", 16,
         "the patch of backbone 'retfound'", "[224, 240] or [224, 256]"),
    ],
)  # fmt: skip
def test_the_patch_that_counts_is_the_one_that_is_built(
    faults_of, model, size, step, origin, nearest
):
    text = f"train:\n  patch_size: {size}\nmodel:\n  {model}\n"
    assert faults_of(text) == (
        f"run.yaml, line 2, train.patch_size: given {size}; allowed: multiples of {step}, "
        f"{origin}; nearest: {nearest}"
    )


def test_a_patch_that_divides(run_of):
    assert run_of("model: {backbone: dinov2, patch_size: 16}\ntrain: {patch_size: [32, 48]}\n")
    unknown = "model: {backbone: timm:anything}\ntrain: {patch_size: [3, 5]}\n"
    assert run_of(unknown).train.patch_size == [3, 5]


@pytest.mark.parametrize("folder", ["''", '"\\0"'])
def test_a_folder_that_is_no_path(faults_of, folder):
    given = "''" if folder == "''" else "'\\x00'"
    assert faults_of(f"paths:\n  raw: {folder}\n") == (
        f"run.yaml, line 2, paths.raw: given {given}; "
        "allowed: a folder, or null for the variable nnUNet_raw"
    )


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ("input_mean: [1]", "model.input_mean: given without input_std; allowed: both or none"),
        ("input_std: [1]", "model.input_std: given without input_mean; allowed: both or none"),
        (
            "input_std: [1]\n  input_mean: [1, 2]",
            "model.input_std: given [1.0] with input_mean [1.0, 2.0]; "
            "allowed: one value per input channel in both",
        ),
        ("input_std: [0]", "model.input_std[0]: given 0; allowed: a number greater than 0"),
    ],
)
def test_mean_and_deviation(faults_of, lines, text):
    assert faults_of(f"model:\n  {lines}\n") == f"run.yaml, line 2, {text}"
