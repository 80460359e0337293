"""The first steps of a training: the loss must fall."""

import torch

from nnunet_vit.modeling.head import Head
from nnunet_vit.testing.building import build, images_of, run_of, step_loss
from nnunet_vit.testing.contract_error import ContractError
from nnunet_vit.testing.small_vits import Case

STEPS = 4
RATE = 1e-3


def check_learning(head: str, case: Case) -> None:
    """Check that a few steps on two images lower the loss that the head is trained with."""
    size = case.pixels(2, 3)
    model = build(head, case, size, deep_supervision=True)
    Head(run_of(head, case)).on_training_step(model, 0.0)
    images = images_of(size)
    optimizer = torch.optim.AdamW(model.parameters(), RATE)
    losses = []
    for _ in range(STEPS):
        torch.manual_seed(0)  # what is dropped and drawn is the same in each step
        loss = step_loss(head, case, model, images=images)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
    if not losses[-1] < losses[0]:
        raise ContractError(
            f"Within {STEPS} steps on the same two images the loss goes from {losses[0]:.4f} to "
            f"{losses[-1]:.4f}; needed: it falls.",
            fix="let gradients pass as they are, and begin with weights of a moderate size.",
        )
