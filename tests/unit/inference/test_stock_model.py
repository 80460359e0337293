"""Models of nnU-Net's own trainers: read without pickle, built as their trainer builds them."""

import json

import numpy as np
import pytest
import torch
from small_plans import CONFIGURATION, plans_of

from nnunet_vit.checkpoints.full_model import read_full_model
from nnunet_vit.errors import ModelError
from nnunet_vit.inference.stock_model import is_stock, load_stock, open_stock

pytestmark = pytest.mark.unit

UNET = {
    "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet",
    "arch_kwargs": {
        "n_stages": 2,
        "features_per_stage": [4, 8],
        "conv_op": "torch.nn.modules.conv.Conv2d",
        "kernel_sizes": [[3, 3], [3, 3]],
        "strides": [[1, 1], [2, 2]],
        "n_conv_per_stage": [1, 1],
        "n_conv_per_stage_decoder": [1],
        "conv_bias": True,
        "norm_op": "torch.nn.modules.instancenorm.InstanceNorm2d",
        "norm_op_kwargs": {"eps": 1e-5, "affine": True},
        "nonlin": "torch.nn.LeakyReLU",
        "nonlin_kwargs": {"inplace": True},
    },
    "_kw_requires_import": ["conv_op", "norm_op", "nonlin"],
}
DESCRIPTION = {
    "labels": {"background": 0, "disc": 1},
    "file_ending": ".png",
    "channel_names": {"0": "R", "1": "rgb_to_0_1"},
}


@pytest.fixture
def model(tmp_path):
    """A U-Net's model folder, whose two folds hold other weights."""
    folder = tmp_path / "nnUNetTrainer__nnUNetPlans__2d"
    folder.mkdir()
    whole = {**CONFIGURATION, "patch_size": [16, 16], "architecture": UNET}
    plans = plans_of("Dataset007_Mine", **{"2d": whole, "2d_small": {"inherits_from": "2d"}})
    (folder / "plans.json").write_text(json.dumps(plans))
    (folder / "dataset.json").write_text(json.dumps(DESCRIPTION))
    network = built(open_stock(folder, "2d"))
    for fold in range(2):
        weights = {name: value + fold for name, value in network.state_dict().items()}
        write(folder, fold, network_weights=weights)
    return folder


def built(opened):
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    from nnunet_vit.inference.stock_model import _network

    return _network(opened, PlansManager(opened.plans), "nnUNetTrainer")


def write(folder, fold, **content):
    content = {
        "trainer_name": "nnUNetTrainer",
        "init_args": {"configuration": "2d"},
        "inference_allowed_mirroring_axes": [0, 1],
        "_best_ema": np.float64(0.5),
        **content,
    }
    (folder / f"fold_{fold}").mkdir(exist_ok=True)
    torch.save(content, folder / f"fold_{fold}/checkpoint_final.pth")


def load(folder, *folds):
    return load_stock(open_stock(folder, "2d"), folds)


def test_all_folds_are_loaded(model):
    assert is_stock(model)
    loaded = load(model, 0, 1)
    assert loaded.mirroring_axes == (0, 1)
    first, second = (network.state_dict() for network in loaded.networks)
    assert all(torch.equal(first[name] + 1, second[name]) for name in first)
    assert loaded.networks[1](torch.zeros(1, 2, 16, 16)).shape == (1, 2, 16, 16)


def test_what_a_configuration_inherits(model):
    assert open_stock(model, "2d_small").configuration["patch_size"] == [16, 16]
    with pytest.raises(ModelError, match="lacks the configuration '3d'"):
        open_stock(model, "3d")


def test_no_code_in_a_checkpoint_is_run(model, tmp_path):
    class Harm:
        def __reduce__(self):
            return exec, (f"open({str(tmp_path / 'harm')!r}, 'w')",)

    write(model, 0, network_weights={}, harm=Harm())
    with pytest.raises(ModelError, match="holds Python objects; none of them was run"):
        load(model, 0)
    assert not (tmp_path / "harm").exists()


def test_numbers_of_numpy_are_nnunets_alone(model):
    file = model / "fold_0/checkpoint_final.pth"
    assert read_full_model(file, of_nnunet=True)["_best_ema"] == 0.5
    with pytest.raises(ModelError, match="holds Python objects"):
        read_full_model(file)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"network_weights": {}}, "cannot be loaded: Error"),
        ({"trainer_name": "nnUNetTrainerMine", "network_weights": {}},
         "was trained by nnUNetTrainerMine, which this nnU-Net does not know"),
    ],
)  # fmt: skip
def test_a_checkpoint_that_does_not_fit(model, content, problem):
    write(model, 0, **content)
    with pytest.raises(ModelError, match=problem):
        load(model, 0)


def test_a_checkpoint_without_weights(model):
    write(model, 0)
    with pytest.raises(ModelError, match=r"checkpoint_final\.pth: network_weights"):
        load(model, 0)
