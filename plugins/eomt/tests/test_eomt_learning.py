"""The head with its own loss, annealed from masks to none, learns two images."""

import pytest
import torch

from nnunet_vit_eomt import EomtOptions, create_loss

pytestmark = pytest.mark.unit

HEAD = "eomt"
STEPS = 40


def discs():
    """Return two images (2, 3, 64, 64) of a disc in noise, and the discs (2, 1, 64, 64)."""
    rows, columns = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    circles = [(20, 24, 11), (40, 38, 14)]
    masks = [(rows - y) ** 2 + (columns - x) ** 2 < radius**2 for y, x, radius in circles]
    truth = torch.stack(masks)[:, None].float()
    noise = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(3))
    return 1.5 * truth + 0.5 * noise, truth


def dice(model, images, truth):
    with torch.no_grad():
        found, wanted = model.eval()(images).argmax(dim=1).bool(), truth[:, 0].bool()
    return (2 * (found & wanted).sum() / (found.sum() + wanted.sum())).item()


@pytest.mark.parametrize("has_regions", [False, True])
def test_two_discs_are_learned(build_head, has_regions):
    classes = 1 if has_regions else 2
    model = build_head(num_classes=classes, image_size=(64, 64))
    loss = create_loss(classes, EomtOptions(), has_regions, None)
    images, truth = discs()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    for step in range(STEPS):
        model.anneal(step / STEPS)
        optimizer.zero_grad()
        loss(model.train()(images), truth).backward()
        optimizer.step()
    assert not model.any_masked
    if has_regions:
        with torch.no_grad():
            found = model.eval()(images) > 0
        assert (found == truth.bool()).float().mean() > 0.97
    else:
        assert dice(model, images, truth) > 0.9
