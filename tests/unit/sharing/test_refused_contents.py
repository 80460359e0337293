"""Bundles whose entries are sound, and whose contents are refused."""

import io
import json
import math

import pytest
from refused_bundles import listed, refusal
from safetensors.torch import load, save
from shared_models import contents, everything_in, installed, repacked

from nnunet_vit.errors import ConfigError, ModelError, PluginError

pytestmark = pytest.mark.unit
FOLD = "weights/fold_0.safetensors"
MANIFESTS = {
    "schema": ({"schema": 2}, "has schema 2; this version of nnunet-vit reads 1."),
    "format": ({"format": "x"}, "format: Input should be 'nnunet-vit model'"),
    "unknown key": ({"more": 1}, "more: Extra inputs are not permitted"),
    "out": ({"dataset": "Dataset001_A/../../x"}, "dataset: String should match pattern"),
    "name": ({"plans": "../x"}, "plans: String should match pattern"),
    "fold": ({"folds": {"../0": {"mirroring_axes": None}}}, "String should match pattern"),
    "no fold": ({"folds": {}}, "folds: Dictionary should have at least 1 item"),
    "axes": ({"folds": {"0": {"mirroring_axes": [2]}}}, "mirroring_axes.0: Input should be 0 or 1"),
    "figures": ({"validation": {}}, "validation.mean_dice: Field required"),
    "a figure that is none": (
        {"validation": {"folds": ["0"], "cases": 2, "mean_dice": math.nan, "dice": {}}},
        "validation.mean_dice: Input should be ",
    ),
    "pretrained weights": (
        {"weights": "trained", "pretrained": {"file": "x"}},
        "pretrained.file: Input should be ",
    ),
    "another fold": (
        {"folds": {"1": {"mirroring_axes": None}}},
        "weights/fold_1.safetensors is missing, weights/fold_0.safetensors belongs to no bundle",
    ),
    "another dataset": ({"dataset": "Dataset006_Other"}, "differ in dataset_name: "),
    "another plan": ({"plans": "other"}, "differ in plans_name: "),
}


@pytest.mark.parametrize(("changes", "problem"), MANIFESTS.values(), ids=MANIFESTS)
def test_another_manifest(small_bundle, results, tmp_path, changes, problem):
    bad = repacked(small_bundle, tmp_path / "bad.zip", listed(small_bundle, **changes))
    assert problem in refusal(bad, results)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"{", "manifest.json cannot be read: "),
        (b"[" * 100_000, "manifest.json cannot be read: "),
        (b'{"schema": 1, "schema": 1}', "the key 'schema' is there twice"),
        (b"\xff", "manifest.json cannot be read: "),
        (b"[]", "manifest.json is not as it must be"),
    ],
)
def test_a_manifest_that_is_none(small_bundle, results, tmp_path, text, problem):
    bad = repacked(small_bundle, tmp_path / "bad.zip", {"manifest.json": text})
    assert problem in refusal(bad, results)


def changed_weights(bundle, change):
    tensors = load(contents(bundle)[FOLD])
    change(tensors)
    return listed(bundle, files={FOLD: save(tensors)})


def leave_out(tensors):
    del tensors[min(tensors)]


def another_shape(tensors):
    name = min(tensors)
    tensors[name] = tensors[name][:0]


def another_type(tensors):
    name = min(tensors)
    tensors[name] = tensors[name].half()


def one_more(tensors):
    tensors["more"] = next(iter(tensors.values())).clone()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (leave_out, "missing bridge.mean"),
        (one_more, "unexpected more"),
        (another_shape, " is F32 ["),
        (another_type, " is F16 ["),
    ],
)
def test_weights_of_another_network(small_bundle, results, tmp_path, change, problem):
    bad = repacked(small_bundle, tmp_path / "bad.zip", changed_weights(small_bundle, change))
    text = refusal(bad, results)
    assert f"{FOLD} does not fit the network: " in text and problem in text


def pickle_bytes():
    import torch

    file = io.BytesIO()
    torch.save({"a": torch.zeros(2)}, file)
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [b"", b"short", bytes(100), pickle_bytes(), (2**40).to_bytes(8, "little") + b"{}",
     (9).to_bytes(8, "little") + b'{"a":[]} '],
    ids=["empty", "short", "zeros", "pickle", "long", "no tensor"],
)  # fmt: skip
def test_weights_that_are_no_safetensors(small_bundle, results, tmp_path, content):
    changes = listed(small_bundle, files={FOLD: content})
    bad = repacked(small_bundle, tmp_path / "bad.zip", changes)
    assert f"{FOLD} is no safetensors file" in refusal(bad, results)


def test_a_header_that_lies_about_its_values(small_bundle, results, tmp_path):
    content = contents(small_bundle)[FOLD]
    changes = listed(small_bundle, files={FOLD: content[:-4]})
    bad = repacked(small_bundle, tmp_path / "bad.zip", changes)
    assert f"{FOLD} is no safetensors file: its tensors are not what" in refusal(bad, results)


def test_tensors_that_are_there_twice(bundle, results, tmp_path):
    shared = load(contents(bundle)["weights/shared.safetensors"])
    own = load(contents(bundle)[FOLD]) | {min(shared): shared[min(shared)]}
    bad = repacked(bundle, tmp_path / "bad.zip", listed(bundle, files={FOLD: save(own)}))
    assert f"{FOLD} and weights/shared.safetensors both hold" in refusal(bad, results)


def changed_plans(bundle, change):
    plans = json.loads(contents(bundle)["plans.json"])
    change(plans, plans["configurations"]["2d"]["architecture"])
    return listed(bundle, files={"plans.json": json.dumps(plans).encode()})


PLANS = {
    "class": (
        lambda plans, own: own.update(network_class_name="os.system"),
        "the network is 'os.system', not nnunet_vit.modeling.network.ViTSegmentationNetwork",
    ),
    "imports": (
        lambda plans, own: own.update(_kw_requires_import=["model"]),
        "_kw_requires_import is not empty",
    ),
    "arguments": (
        lambda plans, own: own["arch_kwargs"]["model"].update(precision="bfloat16"),
        "the network's arguments are not those of its run",
    ),
    "path": (
        lambda plans, own: [
            model.update(checkpoint_path="/etc/passwd")
            for model in (own["arch_kwargs"]["model"], plans["nnunet_vit"]["run"]["model"])
        ],
        "model.checkpoint_path leads out of the bundle",
    ),
    "configurations": (
        lambda plans, own: plans["configurations"].update(more=plans["configurations"]["2d"]),
        "differ in configurations: ['2d', 'more'] and ['2d']",
    ),
    "stock": (lambda plans, own: plans.pop("nnunet_vit"), "hold no run of nnunet-vit"),
    "lora": (
        lambda plans, own: own["arch_kwargs"]["lora"].update(r=4),
        "the network's arguments are not those of its run",
    ),
    "no configuration": (
        lambda plans, own: plans["configurations"].update({"2d": {}}),
        "configuration '2d': data_identifier is missing",
    ),
    "no such preprocessor": (
        lambda plans, own: plans["configurations"]["2d"].update(preprocessor_name="Mine"),
        "preprocessor_name 'Mine' is none of this nnU-Net's; usual: DefaultPreprocessor",
    ),
    "tile": (
        lambda plans, own: plans["configurations"]["2d"].update(patch_size="large"),
        "patch_size is 'large', needed: a list of integers above 0",
    ),
    "tile and network": (
        lambda plans, own: plans["configurations"]["2d"].update(patch_size=[32, 64]),
        "plans.json: patch_size is [32, 64], and the network is built for image_size [64, 64]",
    ),
    "image size": (
        lambda plans, own: own["arch_kwargs"].update(image_size=None),
        "patch_size is [64, 64], and the network is built for image_size None",
    ),
    "spacing": (
        lambda plans, own: plans["configurations"]["2d"].update(spacing=[1.0]),
        "spacing is [1.0], needed: as many numbers as patch_size [64, 64] has",
    ),
    "axes": (
        lambda plans, own: plans.update(transpose_forward=[0, 1, 1]),
        "transpose_forward is [0, 1, 1], needed: each of 0, 1, 2 once",
    ),
    "axes and back": (
        lambda plans, own: plans.update(transpose_forward=[1, 2, 0]),
        "transpose_backward is [0, 1, 2], which does not undo transpose_forward [1, 2, 0]",
    ),
    "channels": (
        lambda plans, own: plans["configurations"]["2d"]["use_mask_for_norm"].pop(),
        "use_mask_for_norm is for 2 channels; dataset.json has 3 channel_names",
    ),
    "statistics": (
        lambda plans, own: [
            plans["configurations"]["2d"].update(normalization_schemes=["CTNormalization"] * 3),
            plans["foreground_intensity_properties_per_channel"]["1"].pop("std"),
        ],
        "foreground_intensity_properties_per_channel.1 lacks numbers that CTNormalization needs",
    ),
    "no statistics": (
        lambda plans, own: plans["foreground_intensity_properties_per_channel"].pop("2"),
        "foreground_intensity_properties_per_channel.2 is None, needed: an object",
    ),
    "label manager": (
        lambda plans, own: plans.update(label_manager=[]),
        "label_manager is [], needed: the name of a class",
    ),
    "mean": (
        lambda plans, own: own["arch_kwargs"].update(input_mean=[0, 0]),
        "input_mean is [0, 0], needed: a number for each of 3 channels",
    ),
    "std": (
        lambda plans, own: own["arch_kwargs"].update(input_std=[1, 0, 1]),
        "input_std is [1, 0, 1], needed: a number above 0 for each of 3 channels",
    ),
    "resampling": (
        lambda plans, own: plans["configurations"]["2d"].pop("resampling_fn_data"),
        "resampling_fn_data is None, needed: the name of a function",
    ),
    "resampling's arguments": (
        lambda plans, own: plans["configurations"]["2d"].update(resampling_fn_seg_kwargs=3),
        "resampling_fn_seg_kwargs is 3, needed: an object",
    ),
    "an argument of resampling": (
        lambda plans, own: plans["configurations"]["2d"]["resampling_fn_data_kwargs"].update(a=1),
        "resampling_fn_data_kwargs: got an unexpected keyword argument 'a'",
    ),
    "an order of resampling": (
        lambda plans, own: plans["configurations"]["2d"]["resampling_fn_data_kwargs"].update(
            order="cubic"
        ),
        "resampling_fn_data_kwargs: order is 'cubic', needed: 0 to 5",
    ),
    "reader": (lambda plans, own: plans.update(image_reader_writer=3), "image_reader_writer is"),
}


@pytest.mark.parametrize(("change", "problem"), PLANS.values(), ids=PLANS)
def test_plans_of_something_else(small_bundle, results, tmp_path, change, problem):
    bad = repacked(small_bundle, tmp_path / "bad.zip", changed_plans(small_bundle, change))
    kind = ConfigError if "hold no run" in problem else ModelError
    assert problem in refusal(bad, results, kind)


def test_packages_that_are_not_installed(small_bundle, results, tmp_path):
    needed = {
        "head": {"distribution": "nnunet-vit-absent", "version": "1.2"},
        "tuning": {"distribution": "somebodys-tuning", "version": "3.0"},
    }
    bad = repacked(small_bundle, tmp_path / "bad.zip", listed(small_bundle, packages=needed))
    before = everything_in(results)
    with pytest.raises(PluginError) as caught:
        installed(bad, results)
    assert caught.value.fix == "pip install nnunet-vit-absent==1.2 somebodys-tuning==3.0"
    assert everything_in(results) == before
