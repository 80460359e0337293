"""With transformers' weights the decoder computes what transformers' UPerNet computes."""

import pytest
import torch
from oracle_weights import randomize, renamed
from torch import nn

pytestmark = pytest.mark.unit

HEAD = "upernet"
HIDDEN, CLASSES = 16, 5
NAMES = (
    (r"^psp_modules\.(\d)\.1\.", r"decoder.pooling.branches.\1."),
    (r"^bottleneck\.", "decoder.pooling.fuse."),
    (r"^lateral_convs\.", "decoder.laterals."),
    (r"^fpn_convs\.", "decoder.smoothing."),
    (r"^fpn_bottleneck\.", "decoder.fuse."),
    (r"\.conv\.", ".0."),
    (r"\.batch_norm\.", ".1."),
)


class Feature(nn.Module):
    embed_dim, depth, patch_size = 24, 4, 16

    def feature_maps(self, images, layers):
        rows, columns = (edge // 16 for edge in images.shape[-2:])
        generator = torch.Generator().manual_seed(7)
        size = (len(images), self.embed_dim, rows, columns)
        return [torch.randn(size, generator=generator) for _ in layers]


def swap(module, kind, replacement):
    """Replace each submodule of that kind by what `replacement` makes of its channels."""
    for name, child in list(module.named_modules()):
        if isinstance(child, kind):
            parent = module.get_submodule(name.rpartition(".")[0])
            setattr(parent, name.rpartition(".")[2], replacement(child))


@pytest.mark.parametrize("size", [(64, 96), (80, 48), (16, 16)])
@pytest.mark.parametrize("norm", ["batch", "group"])
def test_transformers_weights_give_transformers_logits(head_on, size, norm):
    """Once with their batch normalization (evaluated) in ours, once with our groups in theirs."""
    pytest.importorskip("transformers", reason="the oracle is not installed")
    from transformers.models.upernet.configuration_upernet import UperNetConfig
    from transformers.models.upernet.modeling_upernet import UperNetHead

    from nnunet_vit.blocks.pyramid import normalization

    torch.manual_seed(0)
    ours = head_on(Feature(), hidden_size=HIDDEN).eval()
    ours.classifier = nn.Conv2d(HIDDEN, CLASSES, 1)
    config = UperNetConfig(hidden_size=HIDDEN, num_labels=CLASSES)
    theirs = UperNetHead(config, ours.pyramid.widths).eval()
    if norm == "batch":
        swap(ours.decoder, nn.GroupNorm, lambda old: nn.BatchNorm2d(old.num_channels).eval())
    else:
        swap(theirs, nn.BatchNorm2d, lambda old: normalization(old.num_features))
        for module in theirs.psp_modules.blocks:  # which calls its layers from a list beside
            module.layers = list(module.children())
    with torch.no_grad():
        randomize(theirs)
        state = renamed(theirs.state_dict(), NAMES)
        state |= {n: v for n, v in ours.state_dict().items() if n.startswith("pyramid.")}
        ours.load_state_dict(state)  # strict: every weight of the one is a weight of the other
        images = torch.zeros(2, 3, *size)
        maps = ours.pyramid(ours.backbone.feature_maps(images, ours.layers))
        expected = nn.functional.interpolate(theirs(maps), size=size, mode="bilinear")
        difference = (ours(images) - expected).abs().max() / expected.abs().max()
    assert expected.std() > 0.1
    assert difference <= 1e-5
