"""check_network: patch, statistics and weights of the backbone, before anything is written."""

import pytest

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.errors import ConfigError, ModelError
from nnunet_vit.nnunet.dataset import find_dataset
from nnunet_vit.nnunet.preflight import check_network

pytestmark = pytest.mark.unit

MODEL = {"head": "linear", "backbone": "timm:test_vit", "pretrained": False}


class Said:
    def __init__(self):
        self.lines = []

    def say(self, text):
        self.lines.append(text)


def checked(model, fresh=True, **sections):
    run = ViTnnUNetConfig.model_validate({"model": {**MODEL, **model}, **sections})
    said = Said()
    return check_network(find_dataset(5), run, fresh, said), said.lines


@pytest.fixture
def weights(tmp_path):
    from safetensors.torch import save_file

    from nnunet_vit.modeling.timm_models import build_timm

    file = tmp_path / "vit.safetensors"
    save_file(build_timm("test_vit", (160, 160), 3).state_dict(), file)
    return str(file)


def test_what_the_weights_brought_is_said_once(write_dataset, weights):
    write_dataset(channel_names={"0": "MRI"})
    _, lines = checked({"pretrained": True, "checkpoint_path": weights})
    assert lines == [
        "Weights: vit.safetensors covers 100 % of the backbone: 78 tensors, 0.3 M parameters; "
        "resized: pos_embed"
    ]


def test_nothing_is_said_of_random_weights_or_of_a_run_that_goes_on(write_dataset, weights):
    write_dataset()
    assert checked({})[1] == []
    model = {"pretrained": True, "checkpoint_path": weights}
    assert checked(model, fresh=False)[1] == []


def test_a_patch_on_request(write_dataset, weights):
    write_dataset(channel_names={"0": "rgb_to_0_1"})
    model = {"pretrained": True, "checkpoint_path": weights, "patch_size": 8}
    facts, _ = checked(model, train={"patch_size": [40, 24]})
    assert facts.patch_size == 8
    with pytest.raises(ConfigError) as caught:
        checked(model, train={"patch_size": [40, 20]})
    assert str(caught.value) == (
        "train.patch_size [40, 20] is not a multiple of the patch of test_vit, 8 pixels. "
        "Fix: train.patch_size: [40, 16]"
    )


def test_a_single_channel_gets_the_statistics_of_red_green_and_blue(write_dataset):
    write_dataset(channel_names={"0": "rgb_to_0_1"})
    facts, _ = checked({"backbone": "timm:vit_small_patch14_dinov2"}, fresh=False)
    assert facts.statistics == ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


def test_statistics_of_a_familys_size(write_dataset):
    write_dataset(channel_names={str(number): "rgb_to_0_1" for number in range(3)})
    model = {"backbone": "visionfm", "backbone_size": "oct"}
    assert checked(model, fresh=False)[0].statistics == ([0.210919] * 3, [0.175989] * 3)


def test_weights_that_are_fetched_by_hand(write_dataset):
    write_dataset()
    with pytest.raises(ModelError) as caught:
        checked({"backbone": "retfound", "pretrained": True})
    assert str(caught.value).startswith(
        "The weights of retfound are not fetched: RETFound_mae_natureCFP, fetched by hand "
    )
