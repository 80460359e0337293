"""The network class that plans name: outputs, weights, and nnU-Net's own way of building it."""

import pytest
import torch
from torch import nn

from nnunet_vit.errors import ModelError
from nnunet_vit.modeling.network import CLASS_PATH, ViTSegmentationNetwork, first_build

pytestmark = pytest.mark.unit

MODEL = {"head": "linear", "backbone": "timm:test_vit", "pretrained": False}
LORA = {"enabled": True, "r": 4}


def network(model=MODEL, channels=3, classes=2, size=(32, 48), **more):
    statistics = {"input_mean": [0.0] * channels, "input_std": [1.0] * channels, **more}
    lora = statistics.pop("lora", {"enabled": False})
    return ViTSegmentationNetwork(channels, classes, model, lora, size, **statistics)


def test_the_path_that_plans_write_names_the_class():
    import pydoc

    assert pydoc.locate(CLASS_PATH) is ViTSegmentationNetwork


@pytest.mark.parametrize("head", ["linear", "segformer"])
@pytest.mark.parametrize("kind", [torch.float32, torch.float16, torch.float64])
def test_logits_have_the_images_size_in_float32(head, kind):
    net = network({**MODEL, "head": head}, channels=1, classes=4)
    logits = net(torch.randn(2, 1, 32, 48).to(kind))
    assert (logits.shape, logits.dtype) == ((2, 4, 32, 48), torch.float32)
    assert torch.isfinite(logits).all()


def test_half_precision_outside_does_not_reach_inside():
    """nnU-Net's predictor opens one; the CPU's stands in for it here."""
    net, images = network().eval(), torch.randn(1, 3, 32, 48)
    with torch.no_grad():
        plain = net(images)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            inside = net(images)
    assert torch.equal(plain, inside)


def test_the_bridge_is_the_first_thing(monkeypatch):
    net = network(input_mean=[0.4, 0.5, 0.6], input_std=[0.1, 0.2, 0.3]).eval()
    bare = network().eval()
    bare.model.load_state_dict(net.model.state_dict())
    images = torch.rand(1, 3, 32, 48)
    mean, std = (torch.tensor(n).view(1, 3, 1, 1) for n in ([0.4, 0.5, 0.6], [0.1, 0.2, 0.3]))
    with torch.no_grad():
        assert torch.allclose(net(images), bare((images - mean) / std), atol=1e-5)
        assert not torch.allclose(net(images), bare(images), atol=1e-2)


def test_only_a_first_build_reads_weights(vit, weights_file):
    trained = vit(size=None, seed=9).state_dict()
    file = str(weights_file(trained))
    model = {**MODEL, "pretrained": True, "checkpoint_path": file}
    key = "backbone.model.blocks.0.attn.qkv.weight"
    expected = trained[key.removeprefix("backbone.model.")]
    assert not torch.equal(network(model).model.state_dict()[key], expected)
    with first_build():
        assert torch.equal(network(model).model.state_dict()[key], expected)
    assert not torch.equal(network(model).model.state_dict()[key], expected)


def test_a_rebuild_needs_no_weights_file(tmp_path):
    model = {**MODEL, "pretrained": True, "checkpoint_path": str(tmp_path / "gone.pth")}
    assert isinstance(network(model), nn.Module)
    with pytest.raises(ModelError) as caught, first_build():
        network(model)
    assert str(caught.value).startswith(f"{tmp_path / 'gone.pth'} cannot be read as weights: ")
    assert isinstance(network(model), nn.Module)  # the error has closed the first build


def test_random_weights_are_random_in_a_first_build_too(monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with first_build():
        assert isinstance(network(MODEL), nn.Module)
        with pytest.raises(ModelError):
            network({**MODEL, "pretrained": True})


@pytest.mark.parametrize("head", ["linear", "segformer"])
@pytest.mark.parametrize("lora", [LORA, {"enabled": False}], ids=["lora", "full"])
@pytest.mark.parametrize("deep", [False, True])
def test_nnunet_rebuilds_it_from_plans_and_a_checkpoint(head, lora, deep, weights_file):
    import json

    from nnunetv2.utilities.get_network_from_plans import get_network_from_plans

    from nnunet_vit.config.models import ViTnnUNetConfig
    from nnunet_vit.nnunet.plans import run_plans

    run = ViTnnUNetConfig.model_validate({"model": {**MODEL, "head": head}, "lora": lora})
    configuration = {"patch_size": [40, 40], "batch_size": 7, "architecture": {"of": "a U-Net"}}
    dataset_plans = {"plans_name": "nnUNetPlans", "configurations": {"2d": configuration}}
    statistics = ([0.4, 0.0], [0.2, 1.0])
    plans = json.loads(json.dumps(run_plans(dataset_plans, run, (32, 48), statistics=statistics)))
    architecture = plans["configurations"]["2d"]["architecture"]

    def build():
        return get_network_from_plans(
            architecture["network_class_name"],
            architecture["arch_kwargs"],
            architecture["_kw_requires_import"],
            2,
            3,
            allow_init=True,
            deep_supervision=deep,
        )

    trained = build().eval()
    assert type(trained) is ViTSegmentationNetwork
    file = weights_file({"network_weights": trained.state_dict()}, "checkpoint.pth")
    rebuilt = build().eval()
    images = torch.rand(1, 2, 32, 48)
    with torch.no_grad():
        assert not torch.equal(rebuilt(images), trained(images))
        rebuilt.load_state_dict(torch.load(file, weights_only=True)["network_weights"])
        assert torch.equal(rebuilt(images), trained(images))
    assert rebuilt.bridge.mean.flatten().tolist() == pytest.approx([0.4, 0.0])


def test_lora_in_the_network_freezes_the_backbone_alone():
    net = network(lora=LORA)
    trained = {name for name, value in net.named_parameters() if value.requires_grad}
    frozen = {name for name, _ in net.named_parameters()} - trained
    assert all(".lora_" in name for name in trained if name.startswith("model.backbone."))
    assert frozen and all(name.startswith("model.backbone.") for name in frozen)
    assert "model.classifier.weight" in trained


def test_predicted_logits_stay_within_half_precision_times_ten():
    net = network(MODEL)
    last = [module for module in net.modules() if isinstance(module, nn.Conv2d)][-1]
    with torch.no_grad():
        last.bias.fill_(9000.0)
    images = torch.zeros(1, 3, 32, 48)
    assert net.train()(images).max() > 8000
    assert net.eval()(images).max() == 3000


@pytest.mark.parametrize(
    ("precision", "inside"),
    [("auto", torch.float32), ("float32", torch.float32), ("bfloat16", torch.bfloat16)],
)
def test_the_precision_of_the_run(precision, inside):
    net = network({**MODEL, "precision": precision})
    kinds = set()
    for module in net.model.modules():
        if isinstance(module, nn.Linear):
            module.register_forward_hook(lambda module, given, made: kinds.add(made.dtype))
    images = torch.randn(1, 3, 32, 48)
    with torch.autocast("cpu", dtype=torch.bfloat16):  # around it, as a trainer may have
        logits = net(images)
    assert (kinds, logits.dtype) == ({inside}, torch.float32)
    logits.square().mean().backward()
    assert {value.grad.dtype for value in net.parameters() if value.grad is not None} == {
        torch.float32
    }


def test_what_the_weights_brought_is_known(vit, weights_file):
    file = weights_file(vit(size=None, seed=9).state_dict())
    model = {**MODEL, "pretrained": True, "checkpoint_path": str(file)}
    assert network(model).coverage is None
    with first_build():
        assert network(model).coverage.share == 1.0
        assert network(MODEL).coverage is None


@pytest.mark.parametrize("lora", [LORA, {"enabled": False}], ids=["lora", "full"])
def test_a_finished_model_has_merged_adapters_and_is_taken(lora):
    from nnunet_vit.tuning.adapters.merge import merged_state

    trained, rebuilt = network(lora=lora).eval(), network(lora=lora).eval()
    with torch.no_grad():
        for value in trained.parameters():
            value.add_(torch.randn_like(value) / 50)
    rebuilt.load_state_dict(merged_state(trained))
    images = torch.randn(1, 3, 32, 48)
    with torch.no_grad():
        assert torch.allclose(rebuilt(images), trained(images), atol=1e-4)
    assert not any(".lora_" in name for name in rebuilt.state_dict())


def test_a_state_with_adapters_keeps_them():
    trained, rebuilt = network(lora=LORA), network(lora=LORA)
    rebuilt.load_state_dict(trained.state_dict())
    assert rebuilt.state_dict().keys() == trained.state_dict().keys()
    assert any(".lora_" in name for name in rebuilt.state_dict())


@pytest.mark.parametrize("tuning", ["lora", "dora", "vera", "ia3"])
def test_a_small_checkpoint_brings_its_adapters(tuning):
    """It holds no plain weight of the blocks, and the adapters stay."""
    from nnunet_vit.checkpoints.base import base_digest, load_stored, stored_tensors

    def built():
        torch.manual_seed(0)  # in place of a file of weights
        return network({**MODEL, "tuning": tuning}, lora={"enabled": True, "r": 2}).eval()

    trained, rebuilt = built(), built()
    with torch.no_grad():
        for value in trained.parameters():
            if value.requires_grad:
                value.add_(torch.randn_like(value) / 50)
    load_stored(rebuilt, stored_tensors(trained), base_digest(trained))
    images = torch.randn(1, 3, 32, 48)
    with torch.no_grad():
        assert torch.equal(rebuilt(images), trained(images))
    assert rebuilt.state_dict().keys() == trained.state_dict().keys()


@pytest.mark.parametrize(("numbers", "stem"), [(1, 1), (3, 3)])
def test_a_grey_image_and_the_stem_that_it_meets(numbers, stem):
    """One number per channel is what plans held before a channel was repeated."""
    net = network(channels=1, input_mean=[0.0] * numbers, input_std=[1.0] * numbers)
    convolution = net.model.backbone.model.patch_embed.proj
    assert convolution.in_channels == stem
    assert net(torch.randn(2, 1, 32, 48)).shape == (2, 2, 32, 48)
