"""With transformers' weights the decoder computes what transformers' DPT computes."""

import pytest
import torch
from oracle_weights import renamed
from torch import nn

pytestmark = pytest.mark.unit

HEAD = "dpt"
EMBED, HIDDEN, CLASSES = 128, 16, 5
NAMES = (
    (r"^neck\.reassemble_stage\.readout_projects\.(\d)\.0\.", r"decoder.reassembly.\1.0.linear."),
    (r"^neck\.reassemble_stage\.layers\.(\d)\.projection\.", r"decoder.reassembly.\1.1."),
    (r"^neck\.reassemble_stage\.layers\.(\d)\.resize\.", r"decoder.reassembly.\1.2."),
    (r"^neck\.convs\.(\d)\.", r"decoder.reassembly.\1.3."),
    (r"^neck\.fusion_stage\.layers\.(\d)\.", r"decoder.fusions.\1."),
    (r"\.projection\.", ".project."),
    (r"\.residual_layer1\.", ".enter.layers."),
    (r"\.residual_layer2\.", ".refine.layers."),
    (r"\.convolution1\.", ".1."),
    (r"\.convolution2\.", ".3."),
    (r"^head\.head\.", "classifier."),
)
IDLE = "decoder.fusions.0.enter."  # theirs has it and never uses it


class Given(nn.Module):
    embed_dim, depth, patch_size, prefix_tokens = EMBED, 4, 16, 0


class Theirs(nn.Module):
    """Neck and head, random weights of a scale that does not vanish."""

    def __init__(self, readout):
        super().__init__()
        from transformers.models.dpt.configuration_dpt import DPTConfig
        from transformers.models.dpt.modeling_dpt import DPTNeck, DPTSemanticSegmentationHead

        config = DPTConfig(
            hidden_size=EMBED,
            neck_hidden_sizes=[16, 32, 64, 128],
            fusion_hidden_size=HIDDEN,
            readout_type=readout,
            num_labels=CLASSES,
        )
        self.neck, self.head = DPTNeck(config), DPTSemanticSegmentationHead(config)
        with torch.no_grad():
            for value in self.parameters():
                if value.dim() > 1:
                    nn.init.kaiming_normal_(value)
                else:
                    value.uniform_(-0.5, 1.5)
            self.head.head[1].running_mean.uniform_(-1, 1)
            self.head.head[1].running_var.uniform_(0.5, 2)


@pytest.mark.parametrize("grid", [(4, 6), (5, 3), (2, 2)])
@pytest.mark.parametrize("readout", ["project", "add", "ignore"])
def test_transformers_weights_give_transformers_maps_and_logits(head_on, readout, grid):
    """In the published alignment, with their batch normalization (evaluated) before the logits."""
    pytest.importorskip("transformers", reason="the oracle is not installed")
    from nnunet_vit_dpt.decoder import DptDecoder

    torch.manual_seed(0)
    theirs = Theirs(readout).eval()
    ours = head_on(Given(), hidden_size=HIDDEN, readout=readout)
    ours.decoder = DptDecoder(EMBED, HIDDEN, readout, as_published=True)
    ours.classifier[1] = nn.BatchNorm2d(HIDDEN)
    ours.classifier[4] = nn.Conv2d(HIDDEN, CLASSES, 1)
    state = renamed(theirs.state_dict(), NAMES)
    state = {name: value for name, value in state.items() if not name.startswith(IDLE)}
    state |= {n: v for n, v in ours.state_dict().items() if n.startswith("normalizations.")}
    ours.eval().load_state_dict(state)  # strict: every weight of the one is one of the other
    rows, columns = grid
    tokens = [torch.randn(2, 1 + rows * columns, EMBED) for _ in range(4)]
    levels = [(t[:, 1:].mT.unflatten(2, grid), t[:, 0]) for t in tokens]
    with torch.no_grad():
        expected = theirs.neck(tokens, rows, columns)
        fused = ours.decoder(levels)
        for ours_map, their_map in zip(fused, expected, strict=True):
            assert relative(ours_map, their_map) <= 1e-5
        assert relative(ours.classifier(fused[-1]), theirs.head.head[:5](expected[-1])) <= 1e-5


def relative(ours, theirs):
    assert ours.shape == theirs.shape
    assert theirs.std() > 0.1
    return ((ours - theirs).abs().max() / theirs.abs().max()).item()


@pytest.mark.parametrize("readout", ["project", "add", "ignore"])
def test_the_heads_own_alignment_has_the_same_weights(readout):
    from nnunet_vit_dpt.decoder import DptDecoder

    ours, published = (
        DptDecoder(EMBED, HIDDEN, readout, as_published).state_dict()
        for as_published in (False, True)
    )
    assert [(n, v.shape) for n, v in ours.items()] == [(n, v.shape) for n, v in published.items()]
