"""One of two processes that share a batch: run by test_distributed, not by itself.

    python distributed_losses.py RANK MEETING_FILE

With the Dice of the batch both have the whole batch's loss, and DDP's mean of both gradients is the
whole batch's. Prints one line for each failure.
"""

import sys

import torch
from torch import distributed

from nnunet_vit.losses import own_terms
from nnunet_vit.losses.computing.compared import compared
from nnunet_vit.losses.computing.facts import LossFacts

OVERLAPS = ("cldice", "dice", "tversky")


def value_and_gradient(term, logits, target):
    logits = logits.clone().requires_grad_()
    value = term.value(
        compared(logits, target, LossFacts(["background", "disc", "vessel"])), term.options()
    )
    (gradient,) = torch.autograd.grad(value, logits)
    return value.detach(), gradient


def main():
    rank, meeting = int(sys.argv[1]), sys.argv[2]
    torch.set_num_threads(1)
    torch.manual_seed(0)
    logits, target = torch.randn(4, 3, 16, 24), torch.randint(0, 3, (4, 1, 16, 24))
    own = slice(2 * rank, 2 * rank + 2)
    whole = {name: value_and_gradient(own_terms()[name], logits, target) for name in OVERLAPS}
    distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=2)
    for name in OVERLAPS:
        value, gradient = value_and_gradient(own_terms()[name], logits[own], target[own])
        try:
            torch.testing.assert_close(value, whole[name][0])
            torch.testing.assert_close(gradient / 2, whole[name][1][own])
        except AssertionError as error:
            print(f"{name}: {error}", flush=True)
    print("done")


if __name__ == "__main__":
    main()
