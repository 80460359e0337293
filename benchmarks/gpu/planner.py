"""The memory that `plan` predicts beside what real steps on a GPU take.

    python benchmarks/gpu/planner.py [--batch 8] [--processes 8] [--sizes small] [--heads unetr …]

ViT-S and ViT-B at two sizes, three tuning methods, three heads: 36 runs with random weights on
random images, or those that are asked for. Predicted: on tensors without memory, as on a machine
without a GPU. Measured: `torch.cuda.max_memory_allocated` over the steps of the probe that `plan`
does on a GPU itself.
Prints a table in Markdown; the bar is a ratio within 0.85 to 1.15.
"""

import argparse
import itertools
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

SIZES, EDGES, HEADS = ("small", "base"), (224, 512), ("linear", "segformer", "dpt")
METHODS = ("full", "lora", "frozen")
STATISTICS = ([0.5] * 3, [0.25] * 3)
BAR = 0.15


def run_of(case, batch):
    """Return a resolved run."""
    from nnunet_vit.config.load import load_run

    size, edge, tuning, head = case
    backbone = f"model.backbone=timm:vit_{size}_patch16_224"
    model = [backbone, f"model.head={head}", f"model.tuning={tuning}", "model.pretrained=false"]
    return load_run(None, [*model, f"train.batch_size={batch}", f"train.patch_size={[edge, edge]}"])


def predicted(case, batch):
    """Return the bytes that are predicted."""
    from nnunet_vit.profiling.describe import describe

    return sum(describe(run_of(case, batch), "cuda").memory.values())


def measured(case, batch):
    """Return what the probe's steps show on the GPU."""
    from nnunet_vit.profiling.assumptions import Notes, Tile, dataset_of
    from nnunet_vit.profiling.measured_run import Measured
    from nnunet_vit.training.probing.network_steps import measured_steps

    run, edge = run_of(case, batch), case[1]
    dataset, _ = dataset_of(run, Notes())
    given = Measured(run, dataset, STATISTICS, "cuda")
    return measured_steps(given, Tile((edge, edge), batch), "cuda")


def main():
    """Print the table."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--sizes", nargs="+", default=SIZES)
    parser.add_argument("--heads", nargs="+", default=HEADS)
    parser.add_argument("--methods", nargs="+", default=METHODS)
    given = parser.parse_args()
    cases = list(itertools.product(given.sizes, EDGES, given.methods, given.heads))
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(given.processes, spawned) as pool:
        told = list(pool.map(predicted, cases, [given.batch] * len(cases)))
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, batch {given.batch}")
    print("| network | predicted | measured | ratio | step |\n|---|---|---|---|---|")
    outside = 0
    for case, bytes_told in zip(cases, told, strict=True):
        held = torch.cuda.memory_allocated()
        found = measured(case, given.batch)
        peak = found.peak - held
        ratio = bytes_told / peak
        outside += abs(ratio - 1) > BAR
        size, edge, tuning, head = case
        print(
            f"| {size} {head} {tuning}, {edge} x {edge} | {bytes_told / 1e9:.2f} GB "
            f"| {peak / 1e9:.2f} GB | {ratio:.2f} | {found.step * 1000:.0f} ms |",
            flush=True,
        )
    print(f"{outside} of {len(cases)} outside of 0.85 to 1.15")


if __name__ == "__main__":
    main()
