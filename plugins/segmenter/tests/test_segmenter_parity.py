"""With upscale 1 and the norm over classes it is the paper's mask transformer, step by step."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from nnunet_vit.testing.maps import SetMaps

pytestmark = pytest.mark.unit

HEAD = "segmenter"
WIDTH, CLASSES, ROWS, COLUMNS = 128, 4, 5, 3
NAMES = {
    "self_attn.in_proj_": "attention.1.inputs.",
    "self_attn.out_proj.": "attention.1.outputs.",
    "norm1.": "attention.0.",
    "norm2.": "perceptron.0.",
    "linear1.": "perceptron.1.",
    "linear2.": "perceptron.4.",
}


def torchs_layer(layer):
    """Return torch's own layer with the same weights: two heads of 64 channels."""
    twin = nn.TransformerEncoderLayer(
        WIDTH, 2, 4 * WIDTH, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    )
    state = {}
    for name, value in layer.state_dict().items():
        theirs = next(theirs for theirs, ours in NAMES.items() if name.startswith(ours))
        state[theirs + name.removeprefix(NAMES[theirs])] = value
    twin.load_state_dict(state)
    return twin.eval()


def randomize(decoder):
    """Weights that keep the scale; classes that differ: their norm would blow up rounding."""
    for name, value in decoder.named_parameters():
        if value.dim() > 1:
            value.normal_(std=value.shape[-1] ** -0.5)
        else:
            value.uniform_(-0.5, 0.5).add_(name.endswith("weight"))
    decoder.classes.normal_()


@pytest.mark.parametrize("layers", [1, 3])
def test_the_logits_follow_the_papers_equations(head_on, layers):
    torch.manual_seed(0)
    model = head_on(
        SetMaps(16, ROWS, COLUMNS, embed_dim=24),
        CLASSES,
        hidden_size=WIDTH,
        layers=layers,
        upscale=1,
        mask_norm="classes",
    ).eval()
    decoder = model.decoder
    with torch.no_grad():
        randomize(decoder)
        model.backbone.maps = torch.randn(2, 24, ROWS, COLUMNS)
        tokens = model.backbone.maps.flatten(2).mT
        tokens = decoder.projection(decoder.normalization(tokens))
        tokens = torch.cat([tokens, decoder.classes.expand(2, -1, -1)], dim=1)
        for layer in decoder.layers:
            tokens = torchs_layer(layer)(tokens)
        tokens = decoder.last_normalization(tokens)
        patches = tokens[:, : ROWS * COLUMNS] @ decoder.masks.patches.weight.T
        classes = tokens[:, ROWS * COLUMNS :] @ decoder.masks.classes.weight.T
        patches, classes = (one / one.norm(dim=-1, keepdim=True) for one in (patches, classes))
        norm = decoder.mask_norm
        masks = functional.layer_norm(patches @ classes.mT, (CLASSES,), norm.weight, norm.bias)
        masks = masks.mT.reshape(2, CLASSES, ROWS, COLUMNS)
        size = (16 * ROWS, 16 * COLUMNS)
        expected = functional.interpolate(masks, size=size, mode="bilinear", align_corners=False)
        logits = model(torch.zeros(2, 3, *size))
    assert expected.std() > 0.1
    assert (logits - expected).abs().max() / expected.abs().max() <= 1e-5
