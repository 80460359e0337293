"""All installed heads side by side on one ViT: parameters, operations, memory, time per image.

    python benchmarks/heads.py [--backbone dinov3:small] [--size 512] [--heads linear unetr]

Two classes, random weights, each head with its default options. Operations are those of one image's
prediction, a multiplication with its addition counted as two; the head's are what the whole needs
beyond the ViT itself. Memory is that of a training step as `vit_cli describe` estimates it, on a
GPU in bfloat16, everything trained with AdamW. Time is that of the network on one image, on this
CPU and in turn with the head `linear`: medians. Where it has one core (`taskset -c 0`), the
processor's time is taken, which other programs on that core do not change. Prints a table in
Markdown; `--page docs/heads.md` also writes the numbers into the rows of that page's table.
"""

import argparse
import os
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from nnunet_vit.config.load import load_run
from nnunet_vit.modeling.backbone import backbone_of
from nnunet_vit.modeling.head import Head
from nnunet_vit.modeling.network import ViTSegmentationNetwork, network_arguments
from nnunet_vit.profiling.describe import describe
from nnunet_vit.registry.catalogue import HEADS, installed

PEER = "linear"
CHANNELS, CLASSES = 3, 2
LAST_STEP = 0.9999  # share of a training that is done when its last step begins
STATISTICS = ([0.5] * CHANNELS, [0.25] * CHANNELS)
TITLES = ("parameters", "FLOPs, head", "FLOPs, whole", "training step", "time", "times linear")
RUN = """
model: {{head: {head}, backbone: "{backbone}", backbone_size: {backbone_size}, pretrained: false}}
train: {{batch_size: {batch}, patch_size: [{size}, {size}]}}
"""


def run_of(head, given):
    """Return the resolved run of a head with its default options."""
    name, _, backbone_size = given.backbone.partition(":")
    if name == "timm":
        name, backbone_size = given.backbone, ""
    text = RUN.format(
        head=head,
        backbone=name,
        backbone_size=backbone_size or "null",
        batch=given.batch,
        size=given.size,
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "run.yaml"
        file.write_text(text)
        return load_run(file, [])


def network_of(run, size):
    """Return a run's network as it is at the end of a training, its weights apart."""
    torch.manual_seed(0)
    arguments = network_arguments(run, (size, size), STATISTICS)
    network = ViTSegmentationNetwork(CHANNELS, CLASSES, **arguments)
    Head(run).on_training_step(network.model, LAST_STEP)
    return network.eval().requires_grad_(False)


def operations(compute, *arguments):
    """Return the number of operations of a computation."""
    with FlopCounterMode(display=False) as counter:
        compute(*arguments)
    return counter.get_total_flops()


@torch.no_grad()
def seconds_in_turn(networks, images, repeats):
    """Return the median seconds of each network, run in turn; the first round is not counted."""
    # several cores add up in the processor's time; one has the same as a clock on an idle machine
    clock = time.perf_counter if torch.get_num_threads() > 1 else time.process_time
    seconds = {head: [] for head in networks}
    for number in range(repeats + 1):
        for head, network in networks.items():
            began = clock()
            network(images)
            if number:
                seconds[head].append(clock() - began)
    return {head: statistics.median(values) for head, values in seconds.items()}


def training_memory(head, run):
    """Return (parameters of the head, bytes of a training step or None)."""
    found = describe(run, "cuda")
    if found.cost is None:
        print(f"{head}: {' '.join(found.notes)}", file=sys.stderr)
    parameters = sum(part.parameters for part in found.parts if part.name == "head")
    return parameters, sum(found.memory.values()) if found.cost else None


def short(value):
    """Return a number with one digit after the point, or two digits where it is below 1."""
    return f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def table(heads, given):
    """Return the cells of each head's row."""
    runs = {head: run_of(head, given) for head in dict.fromkeys([PEER, *heads])}
    memory = {head: training_memory(head, run) for head, run in runs.items()}
    networks = {head: network_of(run, given.size) for head, run in runs.items()}
    images = torch.rand(1, CHANNELS, given.size, given.size)
    seconds = seconds_in_turn(networks, images, given.repeats)
    vit = operations(backbone_of(networks[PEER]), images)
    rows = {}
    for head in heads:
        parameters, held = memory[head]
        whole = operations(networks[head], images)
        rows[head] = (
            f"{short(parameters / 1e6)} M",
            f"{short((whole - vit) / 1e9)} G",
            f"{short(whole / 1e9)} G",
            "not measured" if held is None else f"{short(held / 1e9)} GB",
            f"{seconds[head] * 1000:.0f} ms",
            f"{seconds[head] / seconds[PEER]:.2f}",
        )
    return rows


def written_into(page, rows):
    """Return a page's text with the numbers in the rows of its table that name these heads.

    The columns are found by their titles.
    """
    lines, columns = page.split("\n"), {}
    for number, line in enumerate(lines):
        cells = [cell.strip() for cell in line.strip("| ").split("|")]
        if not line.startswith("|"):
            columns = {}
        elif set(TITLES) <= set(cells):
            columns = {title: cells.index(title) for title in TITLES}
        head = re.search(r"`(\w+)`", cells[0])
        if columns and head and head[1] in rows:
            for title, value in zip(TITLES, rows[head[1]], strict=True):
                cells[columns[title]] = value
            lines[number] = f"| {' | '.join(cells)} |"
    return "\n".join(lines)


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--backbone", default="dinov3:small", help="family:size, or timm:<name>")
    parser.add_argument("--size", type=int, default=512, help="edge of the image, pixels")
    parser.add_argument("--heads", nargs="+", default=list(installed(HEADS)))
    parser.add_argument("--repeats", type=int, default=7, help="timed rounds after the first")
    parser.add_argument("--batch", type=int, default=12, help="images of a training step")
    parser.add_argument("--page", type=Path, help="a page to write the numbers into")
    given = parser.parse_args()
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    rows = table(given.heads, given)
    print(f"| head | {' | '.join(TITLES)} |")
    print("|---" * (len(TITLES) + 1) + "|")
    for head, cells in rows.items():
        print(f"| {head} | {' | '.join(cells)} |")
    if given.page:
        text = given.page.read_text(encoding="utf-8")
        given.page.write_text(written_into(text, rows), encoding="utf-8")


if __name__ == "__main__":
    main()
