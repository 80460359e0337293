"""The single variant is dynamic_network_architectures' PatchDecode without its third dimension."""

import pytest
import torch
from torch import nn

from nnunet_vit.testing.maps import SetMaps

pytestmark = pytest.mark.unit


HEAD = "primus"


def backbone(patch_size, embed_dim):
    maps = SetMaps(patch_size, 3, 5, embed_dim)
    maps.maps = torch.randn(2, embed_dim, 3, 5)
    return maps


def named_as_ours(theirs):
    """Return their weights by our names; their stages are numbered, the last one has no norm."""
    last = 1 + max(int(name.split(".")[1]) for name in theirs)
    ours = {}
    for name, value in theirs.items():
        _, number, *rest = name.split(".")
        if len(rest) == 1:
            assert int(number) == last - 1
        stage = "classifier" if len(rest) == 1 else f"stages.{number}.{rest[0]}"
        ours[f"{stage}.{rest[-1]}"] = value[:, :, 0] if value.ndim == 5 else value
    return ours


@pytest.mark.parametrize(
    ("patch", "embed_dim", "classes"),
    [(2, 24, 2), (8, 96, 5), (16, 96, 2), (16, 384, 3), (32, 64, 14), (16, 32, 40)],
)
def test_the_same_logits(head_on, patch, embed_dim, classes):
    reason = "the reference implementation is not installed"
    reference = pytest.importorskip(
        "dynamic_network_architectures.building_blocks.patch_encode_decode", reason=reason
    )
    torch.manual_seed(0)
    theirs = reference.PatchDecode((1, patch, patch), embed_dim, classes).eval()
    for parameter in theirs.parameters():
        nn.init.normal_(parameter, std=0.3)
    ours = head_on(backbone(patch, embed_dim), classes).eval()
    missing, unexpected = ours.load_state_dict(named_as_ours(theirs.state_dict()), strict=False)
    assert sorted(missing) == ["normalization.bias", "normalization.weight"]
    assert unexpected == []
    ours.normalization = nn.Identity()  # it stands for the one that Primus' encoder ends with
    with torch.no_grad():
        expected = theirs(ours.backbone.maps[:, :, None])[:, :, 0]
        logits = ours(torch.zeros(2, 3, 3 * patch, 5 * patch))
    assert logits.shape == expected.shape
    assert (logits - expected).abs().max() <= 1e-5 * expected.abs().max()
    assert expected.std() > 0.1


def test_the_weights_start_as_those_of_primus(head_on):
    from dynamic_network_architectures.initialization.weight_init import InitWeights_He

    torch.manual_seed(0)
    ours = head_on(backbone(16, 384), 3)
    expand = ours.stages[0][0]
    reference = nn.ConvTranspose2d(expand.in_channels, expand.out_channels, 2, 2)
    reference.apply(InitWeights_He(1e-2))
    assert expand.weight.std().item() == pytest.approx(reference.weight.std().item(), rel=0.02)
    assert expand.bias.count_nonzero() == 0
