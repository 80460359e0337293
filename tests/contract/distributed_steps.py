"""One of two processes that train every head together: run by test_distributed, not by itself.

    python distributed_steps.py RANK MEETING_FILE METHOD,METHOD HEAD ...

For each head, method and number of levels, three steps of DistributedDataParallel on gloo: a
step fails where a trained parameter got no gradient in the one before, and ranks must end alike.
Prints one line for each failure.
"""

import sys

import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from nnunet_vit.modeling.head import Head
from nnunet_vit.modeling.network import ViTSegmentationNetwork
from nnunet_vit.testing.building import loss_of, run_of
from nnunet_vit.testing.small_vits import Case

CASE, SIZE, CLASSES = Case("dinov3"), (32, 48), 3


def network(run, levels):
    torch.manual_seed(0)
    model, lora = run.model.model_dump(mode="json"), run.lora.model_dump(mode="json")
    mean, std = [0.5] * 3, [0.25] * 3
    return ViTSegmentationNetwork(3, CLASSES, model, lora, SIZE, mean, std, levels)


def steps(head, method, levels, rank):
    run = run_of(head, CASE, method)
    own = network(run, levels).train()
    parallel = DistributedDataParallel(own)
    trained = [value for value in own.parameters() if value.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=0.01)
    loss = loss_of(head, CASE, CLASSES)
    for progress in (0.0, 0.999, 0.999):  # a step shows what the one before it left out
        Head(run).on_training_step(own.model, progress)
        # each rank has images of its own
        images = torch.randn(2, 3, *SIZE, generator=torch.Generator().manual_seed(rank))
        target = (images[:, :1] > 0).float() + (images[:, :1] > 1)
        optimizer.zero_grad(set_to_none=True)
        loss(parallel(images), target).backward()
        optimizer.step()
    total = torch.stack([value.detach().double().sum() for value in trained])
    both = [torch.empty_like(total) for _ in range(2)]
    distributed.all_gather(both, total)
    assert torch.equal(*both), "the ranks have different weights"


def main():
    rank, meeting, methods, *heads = sys.argv[1:]
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{meeting}", rank=int(rank), world_size=2
    )
    for head in heads:
        for method in methods.split(","):
            for levels in (True, False):
                try:
                    steps(head, method, levels, int(rank))
                except (RuntimeError, AssertionError) as error:
                    first = str(error).splitlines()[0]
                    print(f"{head}, {method}, levels {levels}: {first}", flush=True)
    print("done")


if __name__ == "__main__":
    main()
