"""A repository of the hub as backbone: its config.json names the network, plans hold it."""

import json

import pytest
import torch

from nnunet_vit.config.models import ViTModelConfig, ViTnnUNetConfig
from nnunet_vit.errors import ModelError
from nnunet_vit.modeling.backbone import create_backbone, get_vit_features
from nnunet_vit.modeling.loading import coverage_of, origin_of
from nnunet_vit.modeling.vit.hub_network import as_repository_says

from .conftest import use_hub

pytestmark = pytest.mark.unit

REPOSITORY = "clinic/tile-vit.v2"
BACKBONE = f"timm:hf-hub:{REPOSITORY}"
ARGUMENTS = {"init_values": 0.5, "reg_tokens": 2}
CONFIG = {
    "architecture": "test_vit",
    "num_classes": 0,
    "model_args": {**ARGUMENTS, "img_size": 160, "num_classes": 0, "dynamic_img_size": True},
    "pretrained_cfg": {"mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6], "tag": "v2"},
}


@pytest.fixture
def original():
    """The network that the repository's weights are of."""
    import timm

    torch.manual_seed(3)
    model = timm.create_model("test_vit", num_classes=0, **ARGUMENTS, dynamic_img_size=True)
    return model.eval()


@pytest.fixture
def published(loopback, shown, original, tmp_path):
    """`published(name, config)` puts the files of the repository on the hub."""
    from safetensors.torch import save_file

    def publish(name="model.safetensors", config=CONFIG):
        path = tmp_path / name
        state = {key: value.contiguous() for key, value in original.state_dict().items()}
        save_file(state, path) if path.suffix == ".safetensors" else torch.save(state, path)
        base = f"/{REPOSITORY}/resolve/main/"
        loopback.files[base + name] = path.read_bytes()
        loopback.files[base + "config.json"] = json.dumps(config).encode()
        return loopback

    return publish


def run_of(**model):
    return ViTnnUNetConfig(model=ViTModelConfig(**{"backbone": BACKBONE, **model}))


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_its_network_is_built_and_its_weights_are_loaded(published, original, shown, name):
    published(name)
    model, patch, timm_name = create_backbone(BACKBONE, image_size=(160, 160))
    assert (patch, timm_name) == (16, "test_vit")
    assert coverage_of(model).share == 1
    assert coverage_of(model).file == REPOSITORY
    assert origin_of(model)["file"] == name
    images = torch.randn(1, 3, 160, 160)
    with torch.no_grad():
        ours = get_vit_features(model.eval(), images, 1)[0]
        theirs = original.forward_intermediates(
            images, indices=1, norm=True, intermediates_only=True
        )[0]
    assert torch.allclose(ours, theirs, atol=1e-5)
    assert len([line for line in shown.lines if line.startswith("Fetching")]) == 2


def test_a_run_holds_the_network_so_that_prediction_asks_nobody(published, monkeypatch, tmp_path):
    published()
    model = as_repository_says(run_of()).model
    assert model.backbone == "timm:test_vit"
    assert model.repository == REPOSITORY
    assert model.backbone_arguments.given() == ARGUMENTS
    use_hub(monkeypatch, "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "empty"))
    from nnunet_vit.modeling.loading import load_backbone, pretrained_weights

    with pretrained_weights(wanted=False):
        rebuilt = load_backbone(model, (64, 64), 3).model
    assert rebuilt.reg_token.shape[1] == 2
    assert origin_of(rebuilt) is None


def test_a_run_on_another_backbone_is_left_alone():
    run = run_of(backbone="timm:test_vit")
    assert as_repository_says(run) is run


def test_random_weights_need_no_file_of_weights(published):
    hub = published()
    model = as_repository_says(run_of(pretrained=False)).model
    assert model.backbone_arguments.given() == ARGUMENTS
    assert all("config.json" in path for _, path in hub.requests if "resolve" in path)


def test_a_repository_that_names_no_network_of_timm(published):
    published(config={"model_type": "vit", "hidden_size": 64})
    with pytest.raises(ModelError) as caught:
        as_repository_says(run_of())
    assert f"names no architecture of timm's: {BACKBONE} is no model" in caught.value.problem


def test_a_config_that_asks_for_code(published):
    arguments = {**CONFIG["model_args"], "block_fn": "os.system"}
    published(config={**CONFIG, "model_args": arguments})
    with pytest.raises(ModelError) as caught:
        as_repository_says(run_of())
    assert "block_fn" in caught.value.problem


def test_a_repository_without_weights(published):
    hub = published()
    del hub.files[f"/{REPOSITORY}/resolve/main/model.safetensors"]
    with pytest.raises(ModelError) as caught:
        as_repository_says(run_of())
    assert "has no file pytorch_model.bin (404)" in caught.value.problem


def test_a_gated_repository_says_where_its_terms_are(loopback):
    loopback.status, loopback.headers = 403, {"X-Error-Code": "GatedRepo"}
    with pytest.raises(ModelError) as caught:
        create_backbone(BACKBONE)
    assert f"accept its terms at http://{loopback.host}/{REPOSITORY}, then" in caught.value.fix


def test_describe_asks_nobody(published):
    hub = published()
    with pytest.raises(ModelError) as caught:
        as_repository_says(run_of(), fetch=False)
    assert hub.requests == []
    assert caught.value.fix == "`vit_cli train` fetches it."
    as_repository_says(run_of())
    hub.requests.clear()
    assert as_repository_says(run_of(), fetch=False).model.repository == REPOSITORY
    assert hub.requests == []
