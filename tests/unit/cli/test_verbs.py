"""The verbs in this process: whole outputs and exit codes, good and bad."""

import json
from pathlib import Path

import pytest
from tiny_head import TINY_HEAD

pytestmark = pytest.mark.unit

FAMILIES = """
  dinov2       self-supervised on 142 million curated images (LVD-142M); _reg4: with registers
               sizes: small, base, large, giant, small_reg4, base_reg4, large_reg4, giant_reg4
               patch 14; licence: Apache-2.0
               weights: fetched from timm's repositories on the model hub
  dinov3       self-supervised on 1.7 billion web images (LVD-1689M); rotary positions, any size
               sizes: small, small_plus, base, large, huge_plus, 7b
               patch 16; licence: DINOv3 License
               weights: fetched from timm's repositories on the model hub
"""


BROKEN = "Plugin 'broken' (broken-head 1.0) failed: RuntimeError: out of order."


def test_list_models_as_text(vit_cli, two_heads):
    code, out, err = vit_cli("list-models", "--heads")
    assert (code, err) == (0, "")
    assert out == (
        "heads:\n"
        "  broken  the head broken of a test  (broken-head 1.0)\n"
        f"          BROKEN: {BROKEN}\n"
        "  tiny    the head tiny of a test  (tiny-head 1.2)\n"
    )


def test_list_models_without_heads(vit_cli, only_fakes):
    assert vit_cli("list-models", "--heads") == (
        0,
        "heads:\n  none: pip install nnunet-vit-segformer, for one\n",
        "",
    )


def test_list_models_shows_the_backbones_of_this_package(vit_cli, only_fakes):
    code, out, err = vit_cli("list-models", "--backbones")
    assert (code, err) == (0, "")
    assert out.startswith(f"backbones:{FAMILIES}")


def test_list_models_as_json(vit_cli, two_heads):
    code, out, err = vit_cli("list-models", "--json")
    listing = json.loads(out)
    assert (code, err, list(listing)) == (0, "", ["heads", "backbones"])
    assert listing["heads"] == [
        {
            "name": "broken",
            "distribution": "broken-head",
            "version": "1.0",
            "summary": "the head broken of a test",
            "problem": BROKEN,
        },
        {
            "name": "tiny",
            "distribution": "tiny-head",
            "version": "1.2",
            "summary": "the head tiny of a test",
            "problem": "",
        },
    ]
    keys = (
        "name sizes patch_size patch_sizes licence weights fetched timm_modules summary "
        "distribution problem"
    )
    assert {frozenset(row) for row in listing["backbones"]} == {frozenset(keys.split())}


@pytest.mark.parametrize(
    ("words", "kinds"),
    [
        (["--heads"], ["heads"]),
        (["--backbones"], ["backbones"]),
        (["--heads", "--backbones"], ["heads", "backbones"]),
    ],
)
def test_list_models_in_part(vit_cli, two_heads, words, kinds):
    _, out, _ = vit_cli("list-models", "--json", *words)
    assert list(json.loads(out)) == kinds


def test_list_models_with_a_clash(vit_cli, two_heads, fake_head):
    fake_head("tiny", TINY_HEAD, "other-head", "3.0")
    _, out, _ = vit_cli("list-models", "--json", "--heads")
    rows = [row for row in json.loads(out)["heads"] if row["name"] == "tiny"]
    assert {row["distribution"] for row in rows} == {"tiny-head", "other-head"}
    assert {row["problem"] for row in rows} == {
        "provided by other-head 3.0 and by tiny-head 1.2",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("model: {head: tiny, backbone: dinov3}", "head tiny on dinov3 large, tuning full"),
        ("model: {head: tiny}\nlora: {}", "head tiny on dinov3 large, tuning lora"),
        (
            "model: {head: tiny, backbone: dinov2, backbone_size: base, freeze_backbone: true}",
            "head tiny on dinov2 base, tuning frozen",
        ),
        (
            "model: {head: tiny, backbone: timm:vit_tiny_patch16_224}",
            "head tiny on timm:vit_tiny_patch16_224, tuning full",
        ),
    ],
)
def test_validate_a_good_file(vit_cli, two_heads, text, said):
    Path("run.yaml").write_text(text)
    assert vit_cli("validate", "run.yaml") == (0, f"run.yaml is valid: {said}.\n", "")


BAD = """model:
  head: tiny
  backbone_size: larg
  decoder: {width: 65}
train:
  num_epoch: 5
  initial_lr: 0
"""


def test_validate_a_bad_file_says_everything_at_once(vit_cli, two_heads):
    Path("run.yaml").write_text(BAD)
    code, out, err = vit_cli("validate", "run.yaml", "--set", "lora.r=0", "train.seed=-1")
    assert (code, out) == (2, "")
    lines = err.splitlines()
    assert lines[0] == "error[config]: run.yaml: 6 problems"
    assert lines[1].startswith("  line 3, model.backbone_size: Backbone 'dinov3' has no size ")
    assert lines[2:] == [
        "  line 4, model.decoder.width: given 65; allowed: an integer from 1 to 64",
        "  line 6, train.num_epoch: unknown key, given 'num_epoch'. Did you mean 'num_epochs'? "
        "Allowed: initial_lr, backbone_lr, layer_decay, weight_decay, gradient_clip, optimizer, "
        "warmup, schedule, loss, augmentation, augmentation_device, ema, gradient_checkpointing, "
        "gradient_accumulation, compile, feature_cache, num_epochs, patience, "
        "num_iterations_per_epoch, num_val_iterations_per_epoch, "
        "batch_size, patch_size, seed, save_every, overlay_every, save_whole_model",
        "  line 7, train.initial_lr: given 0; allowed: a number greater than 0 and at most 10",
        "  --set lora.r=0, lora.r: given 0; allowed: an integer from 1 to 1024",
        "  --set train.seed=-1, train.seed: given -1; "
        "allowed: an integer of at least 0 and less than 4294967296, or null",
    ]


@pytest.mark.parametrize(
    ("head", "code", "text"),
    [
        (
            "tinny",
            2,
            "error[config]: run.yaml, line 1, model.head: Unknown head 'tinny'. "
            "Did you mean 'tiny'? Installed: broken, tiny. "
            "Fix: choose an installed head (`vit_cli list-models` shows them).",
        ),
        (
            "broken",
            4,
            f"error[plugin]: {BROKEN} "
            "Fix: install what it misses, fix it, upgrade it or uninstall it.",
        ),
    ],
)
def test_validate_with_a_head_that_is_missing_or_broken(vit_cli, two_heads, head, code, text):
    Path("run.yaml").write_text(f"model: {{head: {head}}}")
    assert vit_cli("validate", "run.yaml") == (code, "", f"{text}\n")


def test_validate_no_file(vit_cli):
    fault = "error[config]: none.yaml: no such file. Fix: give the path of a run file.\n"
    assert vit_cli("validate", "none.yaml") == (2, "", fault)


def test_predict_without_a_model(vit_cli, tmp_path):
    assert vit_cli("predict", "-i", "images", "-o", "masks", "--model", "none") == (
        5,
        "",
        "error[model]: none is no model folder: plans.json, dataset.json missing. Fix: give the "
        "folder that `vit_cli train` prints last, the one that holds fold_0.\n",
    )
    assert list(tmp_path.iterdir()) == []


def test_evaluate_overlays_without_images(vit_cli):
    assert vit_cli("evaluate", "-p", "x", "-r", "y", "--overlays", "z") == (
        2,
        "",
        "error[config]: --overlays needs the pictures. Fix: --images FOLDER\n",
    )


def test_sample_dataset(vit_cli, tmp_path):
    words = ("sample-dataset", "raw", "--training-cases", "5", "--test-cases", "1")
    code, out, err = vit_cli(*words, "--image-size", "64")
    assert (code, err) == (0, "")
    assert out == "5 training and 1 test cases in raw/Dataset901_SampleFundus\n"
    assert (tmp_path / "raw" / "Dataset901_SampleFundus" / "dataset.json").is_file()
