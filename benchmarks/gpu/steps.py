"""Training steps on a GPU: time beside the bfloat16 roofline, peak memory beside `describe`.

    python benchmarks/gpu/steps.py [--compile]

The roofline is the rate of an 8192 x 8192 x 8192 product in bfloat16, measured in the same run.
Networks have random weights and two classes; images are random. Prints a table in Markdown.
"""

import argparse
import statistics
import time

import torch

from nnunet_vit.config.load import load_run
from nnunet_vit.data.dataset import has_regions
from nnunet_vit.modeling.network import ViTSegmentationNetwork, network_arguments
from nnunet_vit.modeling.runtime.microbatches import checkpoint_blocks, forward_in_microbatches
from nnunet_vit.nnunet.stock_loss import loss_for
from nnunet_vit.profiling.assumptions import Notes, dataset_of
from nnunet_vit.profiling.describe import describe
from nnunet_vit.training.optimization import build_optimizer

CASES = (  # size, head, tuning, batch, checkpointing
    ("small", "segformer", "full", 12, False),
    ("base", "segformer", "full", 12, False),
    ("base", "segformer", "lora", 12, False),
    ("base", "segformer", "frozen", 12, False),
    ("base", "segformer", "full", 12, True),
    ("base", "upernet", "full", 12, False),
    ("large", "linear", "full", 12, False),
    ("large", "segformer", "lora", 12, False),
)
STATISTICS = ([0.5] * 3, [0.25] * 3)


def seconds_of(compute, repeats=10, warm=3):
    """Return the median seconds of a computation on the GPU."""
    seconds = []
    for number in range(warm + repeats):
        torch.cuda.synchronize()
        began = time.perf_counter()
        compute()
        torch.cuda.synchronize()
        if number >= warm:
            seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def roofline(edge=8192):
    """Return the operations per second of a large product in bfloat16."""
    left, right = (torch.randn(edge, edge, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    return 2 * edge**3 / seconds_of(lambda: left @ right)


def run_of(size, head, tuning, batch, checkpointing):
    """Return a resolved run."""
    model = {"backbone": "dinov3", "backbone_size": size, "head": head, "tuning": tuning}
    model = [f"model.{key}={value}" for key, value in model.items()]
    train = [f"train.batch_size={batch}", "train.patch_size=[512, 512]"]
    train.append(f"train.gradient_checkpointing={str(checkpointing).lower()}")
    return load_run(None, ["model.pretrained=false", *model, *train])


def step_of(run, compiled):
    """Return a function that does one training step, as the trainer does it."""
    arguments = network_arguments(run, (512, 512), STATISTICS)
    with torch.device("cuda"):
        bare = ViTSegmentationNetwork(3, 2, **arguments).train()
    if run.train.gradient_checkpointing:
        checkpoint_blocks(bare)
    network = torch.compile(bare) if compiled else bare
    optimizer = build_optimizer(network, run.train)
    images = torch.rand(run.train.batch_size, 3, 512, 512, device="cuda")
    loss_of = loss_for(has_regions(dataset_of(run, Notes())[0].description))

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.device("cuda"):
            loss = loss_of(forward_in_microbatches(network, images, 1))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()

    return step


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--compile", action="store_true", help="torch.compile, as nnU-Net does")
    parser.add_argument("--cases", type=int, nargs="+", default=range(len(CASES)))
    given = parser.parse_args()
    peak = roofline()
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, {peak / 1e12:.0f} TFLOP/s")
    print("| network | step | TFLOP | of the roofline | peak memory | describe | ratio |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for number in given.cases:
        run = run_of(*CASES[number])
        found = describe(run, "cuda")
        torch.cuda.empty_cache()
        before = torch.cuda.memory_allocated()
        step = step_of(run, given.compile)
        step()
        torch.cuda.reset_peak_memory_stats()
        seconds = seconds_of(step)
        held = torch.cuda.max_memory_allocated() - before
        told = sum(found.memory.values())
        size, head, tuning, batch, checkpointing = CASES[number]
        name = f"{size} {head} {tuning}, batch {batch}{', checkpointing' if checkpointing else ''}"
        print(
            f"| {name} | {seconds * 1000:.1f} ms | {found.cost.step_flops / 1e12:.2f} "
            f"| {found.cost.step_flops / seconds / peak:.2f} | {held / 1e9:.2f} GB "
            f"| {told / 1e9:.2f} GB | {told / held:.2f} |",
            flush=True,
        )
        del step


if __name__ == "__main__":
    main()
