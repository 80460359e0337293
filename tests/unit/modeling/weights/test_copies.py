"""Several networks in one file: which is taken, how it is said, and how another is chosen."""

import pytest
import torch

from nnunet_vit.errors import ConfigError, ModelError
from nnunet_vit.modeling.weights import load_backbone_weights

pytestmark = pytest.mark.unit

VIT, SIZE = "vit_base_patch16_224", (64, 64)


@pytest.fixture
def averaged(source):
    return source(VIT, SIZE).state_dict()


@pytest.fixture
def raw(averaged):
    return {name: value + 1 for name, value in averaged.items()}


@pytest.fixture
def load(blank, weights_file):
    """`load(content)`: the coverage, and the backbone's tensors."""

    def run(content, key=None):
        model = blank(VIT, SIZE)
        file = weights_file(content, "run.pth")
        coverage = load_backbone_weights(model, file, key=key)
        return coverage, model.state_dict()

    return run


def prefixed(prefix, tensors):
    return {prefix + name: value for name, value in tensors.items()}


def assert_equal(own, tensors):
    assert all(torch.equal(own[name], value) for name, value in tensors.items())


PAIRS = [
    ("state_dict", "state_dict_ema"),
    ("state_dict", "ema_state_dict"),
    ("model", "model_ema"),
    ("model", "ema"),
    ("student", "teacher"),
    ("model", "teacher"),
    ("online_network", "target_network"),
    ("net", "EMA"),
    ("modelStudent", "modelTeacher"),
    ("base_encoder", "momentum_encoder"),
    ("encoder_q", "encoder_k"),
    ("visual_encoder", "visual_encoder_m"),
    ("current_model_state", "state_dict"),
    ("model_no_ema", "model"),
    ("non_ema", "ema"),
    ("pre_ema_model", "model"),
    ("net_without_ema", "net"),
    ("model", "momentum_teacher"),
    ("backbone", "backbone_momentum"),
]


@pytest.mark.parametrize(("plain", "average"), PAIRS)
@pytest.mark.parametrize("form", ["mappings", "names", "the average last"])
def test_of_two_copies_the_averaged_one_is_taken_and_said(
    load, averaged, raw, plain, average, form
):
    content = {average: averaged, plain: raw, "epoch": 3}
    if form == "names":
        content = {"all": {**prefixed(f"{plain}.", raw), **prefixed(f"{average}.", averaged)}}
    if form == "the average last":
        content = {plain: raw, average: averaged}
    coverage, own = load(content)
    assert_equal(own, averaged)
    label = f"all.{average}" if form == "names" else average
    sentence = f"of two copies in the file, {label}, the averaged one, is taken"
    assert coverage.notes == (sentence,)
    assert coverage.summary().endswith(f"; {sentence}")


@pytest.mark.parametrize(("plain", "average"), PAIRS)
def test_a_key_chooses_the_other(load, averaged, raw, plain, average):
    coverage, own = load({average: averaged, plain: raw}, key=plain)
    assert_equal(own, raw)
    assert coverage.notes == (f"{plain} is taken, as model.checkpoint_key says",)


def test_mmengine_swaps_the_two(load, averaged, raw):
    """Its hook puts the average where it is looked for, and the raw values beside it."""
    copy = {"steps": torch.tensor(9), **prefixed("module.", raw)}
    coverage, own = load({"state_dict": averaged, "ema_state_dict": copy, "meta": {}})
    assert_equal(own, averaged)
    assert coverage.notes == ("of two copies in the file, state_dict, the averaged one, is taken",)


@pytest.mark.parametrize(
    "names",
    [("model", "state_dict"), ("net_a", "net_b"), ("ema", "teacher"), ("model", "momentum")],
)
def test_copies_that_nothing_tells_apart_are_refused(load, averaged, raw, names, tmp_path):
    with pytest.raises(ModelError) as caught:
        load({names[0]: averaged, names[1]: raw})
    assert str(caught.value) == (
        f"{tmp_path / 'run.pth'} holds 2 networks that fit alike: {names[0]}, {names[1]}. "
        f"Fix: say which is meant, for example model.checkpoint_key: {names[0]}."
    )


def test_the_same_network_twice_is_one(load, averaged):
    again = {name: value.clone() for name, value in averaged.items()}
    coverage, own = load({"model": averaged, "state_dict": again})
    assert_equal(own, averaged)
    assert coverage.notes == ()


def test_an_average_of_a_part_is_not_taken_and_said(load, averaged, raw):
    part = {name: value for name, value in averaged.items() if "blocks.0." not in name}
    coverage, own = load({"state_dict": raw, "state_dict_ema": part})
    assert_equal(own, raw)
    assert coverage.notes == ("state_dict is taken: state_dict_ema, an average, holds less",)


@pytest.mark.parametrize("other", ["text_encoder", "audio_encoder", "text", "depth_trunk"])
def test_the_tower_of_images_is_taken(load, averaged, raw, other):
    content = {**prefixed(f"{other}.", raw), **prefixed("image_encoder.", averaged)}
    coverage, own = load(content)
    assert_equal(own, averaged)
    sentence = "of two copies in the file, image_encoder, the one of images, is taken"
    assert coverage.notes == (sentence,)


def test_a_tower_without_patches_is_no_copy(load, averaged, raw):
    text = {name: value for name, value in raw.items() if not name.startswith("patch_embed")}
    coverage, own = load({**prefixed("a.", text), **prefixed("b.", averaged)})
    assert_equal(own, averaged)
    assert coverage.notes == ()


@pytest.mark.parametrize("key", ["student", "all.student", "student.backbone", "module.student."])
def test_a_key_may_be_any_part_of_the_way(load, averaged, raw, key):
    content = {
        **prefixed("teacher.backbone.", averaged),
        **prefixed("module.student.backbone.", raw),
    }
    _, own = load({"all": content}, key=key)
    assert_equal(own, raw)


def test_a_dot_is_what_has_no_prefix(load, averaged, raw):
    _, own = load({**raw, **prefixed("ema.", averaged)}, key=".")
    assert_equal(own, raw)


def test_a_key_that_is_not_in_the_file(load, averaged, tmp_path):
    with pytest.raises(ConfigError) as caught:
        load({"teacher": averaged, "student": averaged}, key="model_ema")
    assert str(caught.value) == (
        f"model.checkpoint_key: given 'model_ema'; the networks in {tmp_path / 'run.pth'} are "
        "behind: teacher, student. Fix: give one of these, or leave the key out."
    )


@pytest.mark.parametrize(
    "beside",
    [
        lambda other: {"optimizer": {"exp_avg": other}},
        lambda other: {"opt_state": {"mu": other}},
        lambda other: {"grad_avg": other},
        lambda other: {"adam_ema_sq": other},
        lambda other: {"sgd_momentum": other},
    ],
)
def test_the_state_of_an_optimizer_is_no_copy(load, averaged, raw, beside):
    coverage, own = load({"model": raw, **beside(averaged)})
    assert coverage.notes == ()
    assert_equal(own, raw)


def test_a_file_of_gradients_is_refused(load, raw):
    with pytest.raises(ModelError, match="only the state of an optimizer or gradients: exp_avg"):
        load({"exp_avg": raw})


def test_an_average_under_names_without_dots_is_mentioned(load, averaged, raw):
    beside = {f"model_ema.{name.replace('.', '')}": value for name, value in averaged.items()}
    coverage, own = load({**prefixed("model.", raw), **beside})
    assert_equal(own, raw)
    assert coverage.notes == ("model is taken: model_ema, an average, has names without dots",)


@pytest.mark.parametrize("beside", ["ema", "averaged_model"])
def test_an_average_in_a_list_without_names_is_mentioned(load, averaged, raw, beside):
    """As torch_ema saves it."""
    held = {"decay": 0.99, "shadow_params": list(averaged.values()), "collected_params": None}
    coverage, own = load({"model": raw, beside: held})
    assert_equal(own, raw)
    assert coverage.notes == (
        f"model is taken: {beside}.shadow_params, an average, is a list without names",
    )
    coverage, _ = load({"model": raw, beside: {"shadow_params": list(averaged.values())[:3]}})
    assert coverage.notes == ()
