"""Published weights in a backbone: called by their timm name, and noted by their content."""

import hashlib

import pytest
import torch

from nnunet_vit.modeling.backbone import create_backbone
from nnunet_vit.modeling.loading import coverage_of, origin_of

pytestmark = pytest.mark.unit

REPOSITORY = "timm/test_vit.r160_in1k"


@pytest.fixture
def published(loopback, shown, tmp_path):
    """The weights of a small ViT on the hub; a seed chooses them."""
    import timm
    from safetensors.torch import save_file

    def publish(seed):
        torch.manual_seed(seed)
        state = timm.create_model("test_vit", num_classes=0).state_dict()
        save_file({key: value.contiguous() for key, value in state.items()}, tmp_path / "file")
        content = (tmp_path / "file").read_bytes()
        loopback.files[f"/{REPOSITORY}/resolve/main/model.safetensors"] = content
        return content

    return publish


def test_weights_are_called_by_their_timm_name_and_not_by_a_hash(published):
    content = published(0)
    model, _, _ = create_backbone("timm:test_vit", image_size=(160, 160))
    assert coverage_of(model).summary().startswith("test_vit.r160_in1k covers 100 % of the")
    assert origin_of(model) == {
        "repository": REPOSITORY,
        "file": "model.safetensors",
        "commit": "a" * 40,
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def test_a_network_says_which_published_weights_it_was_started_from(published):
    from nnunet_vit.config.models import ViTModelConfig
    from nnunet_vit.modeling.network import ViTSegmentationNetwork, first_build

    content = published(1)
    model = ViTModelConfig(head="linear", backbone="timm:test_vit").model_dump(mode="json")
    arguments = (3, 2, model, {"enabled": False}, (32, 32), [0.5] * 3, [0.5] * 3)
    with first_build():
        network = ViTSegmentationNetwork(*arguments)
    assert [record["sha256"] for record in network.origins] == [hashlib.sha256(content).hexdigest()]
    assert ViTSegmentationNetwork(*arguments).origins == []
