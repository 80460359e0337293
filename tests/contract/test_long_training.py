"""Half a thousand steps in bfloat16: no head diverges, each learns what its images show."""

from statistics import mean

import pytest
import torch
from repository_heads import HEADS

from nnunet_vit.modeling.head import Head
from nnunet_vit.modeling.runtime.cpu_training.substitutes import quick_steps
from nnunet_vit.testing.building import build, loss_of, run_of
from nnunet_vit.testing.small_vits import Case

pytestmark = [pytest.mark.contract, pytest.mark.slow]

CASE, SIZE, CLASSES = Case("dinov3"), (64, 64), 3
STEPS, PART, RATE, NORM = 500, 50, 1e-3, 12.0  # the norm is that of the trainer's clipping


def batch(generator):
    """Return images with flat squares of three brightnesses, in noise, and the classes."""
    target = torch.randint(0, CLASSES, (4, 1, 4, 4), generator=generator).float()
    target = torch.nn.functional.interpolate(target, SIZE, mode="nearest")
    noise = torch.randn(4, 3, *SIZE, generator=generator)
    return (target - 1).expand(-1, 3, -1, -1) + 0.3 * noise, target


@pytest.mark.parametrize("head", HEADS)
def test_no_head_diverges_in_bfloat16(head):
    model = build(head, CASE, SIZE, classes=CLASSES, deep_supervision=True).train()
    loss_function, hooks = loss_of(head, CASE, CLASSES), Head(run_of(head, CASE))
    optimizer = torch.optim.AdamW(model.parameters(), RATE, fused=True)
    falling = torch.optim.lr_scheduler.PolynomialLR(optimizer, STEPS, power=0.9)
    generator, losses = torch.Generator().manual_seed(4), []
    for step in range(STEPS):
        hooks.on_training_step(model, step / STEPS)
        images, target = batch(generator)
        optimizer.zero_grad()
        with quick_steps(images.device):
            with torch.autocast("cpu", torch.bfloat16):
                loss = loss_function(model(images), target)
            loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), NORM, error_if_nonfinite=True)
        optimizer.step()
        falling.step()
        losses.append(loss.item())
    first, last = mean(losses[:PART]), mean(losses[-PART:])
    assert torch.tensor(losses).isfinite().all()
    assert max(losses[PART:]) < 2 * max(losses[:PART])
    assert last < 0.7 * first, (first, last)
