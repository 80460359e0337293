"""The head learns two images by heart within few steps, from random weights."""

import pytest
import torch

pytestmark = pytest.mark.unit

HEAD = "mask2former"
STEPS = 60


def discs():
    """Two images (2, 3, 64, 64) with noise on bright discs, and their masks (2, 1, 64, 64)."""
    down, across = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")

    def disc(row, column, radius):
        return (down - row) ** 2 + (across - column) ** 2 < radius**2

    masks = torch.stack([disc(20, 24, 13), disc(40, 42, 11) | disc(14, 12, 8)])[:, None].float()
    return 2 * masks - 1 + 0.5 * torch.randn(2, 3, 64, 64), masks


def test_discs_are_learned(build_head):
    from nnunet_vit_mask2former import Mask2FormerOptions, create_loss

    defaults = Mask2FormerOptions()
    model = build_head(num_classes=2, image_size=(64, 64), options=defaults.model_dump())
    loss = create_loss(2, defaults, False, None)
    images, masks = discs()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=0.01)
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss(model.train()(images), masks).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 12.0)
        optimizer.step()
    with torch.no_grad():
        found = model.eval()(images).argmax(dim=1, keepdim=True).float()
    dice = 2 * (found * masks).sum() / (found.sum() + masks.sum())
    assert dice > 0.8
