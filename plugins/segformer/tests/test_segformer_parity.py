"""With transformers' weights the plain variant computes what transformers' SegFormer computes."""

import pytest
import torch
from oracle_weights import randomize, renamed
from torch import nn

pytestmark = pytest.mark.unit

HEAD = "segformer"
EMBED, HIDDEN, CLASSES = 24, 16, 5
NAMES = (
    (r"^linear_(?:projections|c)\.(\d)\.proj\.", r"fusion.projections.\1."),
    (r"^linear_fuse\.", "fusion.fuse.0."),
    (r"^batch_norm\.", "fusion.fuse.1."),
)


class Given(nn.Module):
    """A backbone whose four maps differ."""

    embed_dim, depth, patch_size = EMBED, 4, 16

    def feature_maps(self, images, layers):
        return [self.maps[layer] for layer in layers]


@pytest.mark.parametrize("grid", [(4, 6), (5, 3), (1, 1)])
@pytest.mark.parametrize("norm", ["batch", "group"])
def test_transformers_weights_give_transformers_logits(head_on, grid, norm):
    """Once with their batch normalization (evaluated) in ours, once with our groups in theirs.

    Theirs gets the maps behind the norms with which its encoder ends each level; ours has them.
    """
    pytest.importorskip("transformers", reason="the oracle is not installed")
    from transformers.models.segformer.configuration_segformer import SegformerConfig
    from transformers.models.segformer.modeling_segformer import SegformerDecodeHead

    from nnunet_vit_segformer.refinement import normalization

    torch.manual_seed(0)
    config = SegformerConfig(
        hidden_sizes=[EMBED] * 4, decoder_hidden_size=HIDDEN, num_labels=CLASSES
    )
    theirs, ends = SegformerDecodeHead(config).eval(), [nn.LayerNorm(EMBED) for _ in range(4)]
    ours = head_on(Given(), variant="plain", hidden_size=HIDDEN).eval()
    ours.classifier = nn.Conv2d(HIDDEN, CLASSES, 1)
    if norm == "batch":
        ours.fusion.fuse[1] = nn.BatchNorm2d(HIDDEN).eval()
    else:
        theirs.batch_norm = normalization(HIDDEN)
    with torch.no_grad():
        for module in (theirs, *ends):
            randomize(module)
        state = renamed(theirs.state_dict(), NAMES)
        for level, end in enumerate(ends):
            for name, value in end.state_dict().items():
                state[f"fusion.normalizations.{level}.{name}"] = value
        ours.load_state_dict(state)  # strict: every weight of the one is a weight of the other
        maps = [torch.randn(2, EMBED, *grid) for _ in ends]
        ours.backbone.maps = maps
        ended = [end(m.movedim(1, -1)).movedim(-1, 1) for end, m in zip(ends, maps, strict=True)]
        size = (16 * grid[0], 16 * grid[1])
        expected = nn.functional.interpolate(
            theirs(ended), size=size, mode="bilinear", align_corners=False
        )
        logits = ours(torch.zeros(2, 3, *size))
    assert logits.shape == expected.shape
    assert expected.std() > 0.1
    assert (logits - expected).abs().max() / expected.abs().max() <= 1e-5


def test_the_activation_is_the_papers(head_on):
    """ReLU in the plain variant, GELU in the other: their fused maps tell them apart."""
    fused = {
        variant: head_on(Given(), variant=variant).fusion([torch.randn(1, EMBED, 4, 4)] * 4)
        for variant in ("plain", "progressive")
    }
    assert fused["plain"].min() == 0
    assert fused["progressive"].min() < 0
