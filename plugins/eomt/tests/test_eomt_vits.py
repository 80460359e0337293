"""The eomt head on other ViTs: those without a last norm, other classes of timm, refusals."""

import decoder_behaviour as decoders
import pytest
import timm
import torch

from nnunet_vit.errors import ConfigError
from nnunet_vit.modeling.backbone import ViTBackbone

pytestmark = pytest.mark.unit

HEAD = "eomt"


@pytest.mark.parametrize("last", [True, False])
def test_a_vit_without_a_last_norm_gets_one(head_on, last):
    """Queries and maps are then as large as at the end of any other ViT."""
    vit = timm.create_model("test_vit", num_classes=0, global_pool="", final_norm=last)
    model = head_on(ViTBackbone(vit), 3).eval()
    assert len(list(model.normalization.parameters())) == (0 if last else 2)
    with torch.no_grad():
        vit.blocks[-1].mlp.fc2.weight.mul_(1000)
        (*_, stage) = model.stages(torch.randn(1, 3, 32, 48))
    assert stage["class_logits"].abs().max() < 10


@pytest.mark.parametrize(
    "name", ["beit_base_patch16_224", "deit_tiny_distilled_patch16_224", "eva02_tiny_patch14_224"]
)
def test_other_classes_of_timm(head_on, name):
    size = {"img_size": 28 if "14" in name else 32, "depth": 2, "embed_dim": 48, "num_heads": 4}
    model = head_on(ViTBackbone(timm.create_model(name, num_classes=0, **size)), 3).eval()
    images = torch.randn(2, 3, size["img_size"], size["img_size"])
    with torch.no_grad():
        masked = model(images)
        model.anneal(0.999)
        free = model(images)
    assert masked.shape == (2, 3, *images.shape[-2:]) and masked.isfinite().all()
    assert (free - masked).abs().max() > 1e-4


@pytest.mark.parametrize("name", decoders.NOT_BY_BLOCKS)
def test_vits_that_do_not_run_by_blocks_are_refused_at_once(head_on, name):
    with pytest.raises(ConfigError, match="works between the blocks of the ViT"):
        head_on(decoders.not_by_blocks(name))
