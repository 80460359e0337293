"""`vit_cli benchmark` over heads, backbones, patches and precisions, beside two other trainings.

    python benchmarks/gpu/grid.py WORK [--device cuda] [--heads linear segformer] [--backbones …]
        [--patches 256 512] [--precisions bfloat16 float32] [--batch 8] [--seconds 3] [--minutes 9]

Each cell is the command itself, on drawn images with nnU-Net's augmentation. Beside it, at the same
patch and batch: stock nnU-Net's own trainer, whose U-Net takes batches that are on the device
already, and a plain PyTorch loop of timm's ViT with a 1 x 1 convolution, cross entropy and AdamW,
likewise. Cells that would begin after --minutes are named and left out. Writes WORK/grid.md and
WORK/grid.json, and prints the table.
"""

import argparse
import contextlib
import io
import itertools
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

FOLDERS = {f"nnUNet_{name}": name for name in ("raw", "preprocessed", "results")}
DATASET, CASES = "Dataset901_SampleFundus", 10
CLASSES = 3
WARM, LEAST = 3, 3  # steps
LIMIT = 300  # seconds of a cell
TITLES = (
    "head", "backbone", "patch", "precision", "step", "images/s", "wait", "TFLOP/s", "of the peak",
    "memory", "`describe`", "beside the U-Net", "beside the plain loop",
)  # fmt: skip
RUN = """
data: {{dataset: 901, configuration: 2d, fold: 0}}
paths: {{raw: {work}/raw, preprocessed: {work}/preprocessed, results: {work}/results}}
model: {{head: {head}, backbone: "{backbone}", pretrained: false, precision: {precision}}}
train: {{batch_size: {batch}, patch_size: [{patch}, {patch}], seed: 0}}
"""


def benchmarked(cell, given):
    """Return what `vit_cli benchmark --json` says of a cell, or the words of its error."""
    head, backbone, patch, precision = cell
    file = given.work / "run.yaml"
    file.write_text(
        RUN.format(
            work=given.work, head=head, backbone=backbone, precision=precision, batch=given.batch,
            patch=patch,
        )
    )  # fmt: skip
    words = [str(file), "--json", "--no-switches", "--device", given.device]
    words += ["--seconds", str(given.seconds)]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "nnunet_vit", "benchmark", *words],
            capture_output=True, text=True, timeout=LIMIT, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"no end within {LIMIT} s"
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return lines[-1] if lines else f"it ended with {done.returncode}"
    return json.loads(done.stdout)


def seconds_of(step, given):
    """Return the median seconds of a step on the device."""
    import torch

    seconds, began = [], time.perf_counter()
    while len(seconds) < WARM + LEAST or time.perf_counter() - began < given.seconds:
        started = time.perf_counter()
        step()
        if given.device.startswith("cuda"):
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[WARM:])


def u_net(patch, given):
    """Return the seconds of a step of nnU-Net's own trainer and network, not compiled."""
    import torch
    from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

    folder = given.work / "preprocessed" / DATASET
    plans = json.loads((folder / "nnUNetPlans.json").read_text())
    sizes = {"patch_size": [patch, patch], "batch_size": given.batch}
    plans["configurations"]["2d"].update(sizes)
    plans["continue_training"] = False
    description = json.loads((folder / "dataset.json").read_text())
    device = torch.device(given.device)
    trainer = nnUNetTrainer(plans, "2d", 0, description, device)
    trainer.initialize()
    trainer.network.train()
    images = torch.randn(given.batch, trainer.num_input_channels, patch, patch, device=device)
    edges = [round(patch * scale[0]) for scale in trainer._get_deep_supervision_scales()]
    target = [torch.randint(CLASSES, (given.batch, 1, edge, edge), device=device) for edge in edges]
    return seconds_of(lambda: trainer.train_step({"data": images, "target": target}), given)


def plain_loop(cell, given):
    """Return the seconds of a step of timm's ViT with a linear head in a plain loop."""
    import timm
    import torch
    from torch import nn

    _, backbone, patch, precision = cell
    device = torch.device(given.device)
    vit = timm.create_model(backbone.removeprefix("timm:"), num_classes=0, img_size=patch)
    last = nn.Conv2d(vit.embed_dim, CLASSES, 1)
    network = nn.ModuleList([vit, last]).to(device).train()
    optimizer = torch.optim.AdamW(network.parameters(), fused=device.type == "cuda")
    images = torch.rand(given.batch, 3, patch, patch, device=device)
    target = torch.randint(CLASSES, (given.batch, patch, patch), device=device)

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
            features = vit.forward_intermediates(images, indices=1, intermediates_only=True)[0]
            logits = nn.functional.interpolate(
                last(features).float(), (patch, patch), mode="bilinear"
            )
            loss = nn.functional.cross_entropy(logits, target)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 12.0)
        optimizer.step()

    return seconds_of(step, given)


def row_of(cell, found, beside, given):
    """Return a line of the table."""
    head, backbone, patch, precision = cell
    first = f"| {head} | {backbone.removeprefix('timm:')} | {patch} | {precision} |"
    if isinstance(found, str):
        return f"{first} {found} |" + " |" * (len(TITLES) - 5)
    rate, predicted, memory = (
        found[key] for key in ("flops_per_second", "predicted_memory", "memory")
    )
    known = rate is not None
    ratios = [f"{found['images_per_second'] * seconds / given.batch:.2f}" for seconds in beside]
    return first + "".join(
        f" {value} |"
        for value in (
            f"{1000 * found['step_seconds']:.1f} ms", f"{found['images_per_second']:.1f}",
            f"{found['shares']['wait']:.0%}", f"{rate / 1e12:.2f}" if known else "-",
            f"{found['of_peak']:.1%}" if known else "-",
            "-" if memory is None else f"{memory / 1e9:.2f} GB",
            "-" if predicted is None else f"{predicted / 1e9:.2f} GB", *ratios,
        )
    )  # fmt: skip


def cells_of(given):
    """Yield each cell, its result and the seconds of the two others; None: there was no time."""
    import torch

    began, others = time.monotonic(), {}
    for cell in itertools.product(given.heads, given.backbones, given.patches, given.precisions):
        if time.monotonic() - began > 60 * given.minutes:
            yield cell, None, ()
            continue
        found = benchmarked(cell, given)  # which plans and preprocesses, the first time
        patch = cell[2]
        if patch not in others:
            with contextlib.redirect_stdout(io.StringIO()):  # nnU-Net's greeting
                others[patch] = u_net(patch, given)
        if cell[1:] not in others:
            others[cell[1:]] = plain_loop(cell, given)
        if given.device.startswith("cuda"):
            torch.cuda.empty_cache()
        yield cell, found, (others[patch], others[cell[1:]])


def main():
    """Go over the grid and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--heads", nargs="+", default=["linear", "segformer"])
    parser.add_argument(
        "--backbones", nargs="+",
        default=["timm:vit_small_patch16_224", "timm:vit_base_patch16_224"],
    )  # fmt: skip
    parser.add_argument("--patches", nargs="+", type=int, default=[256, 512])
    parser.add_argument("--precisions", nargs="+", default=["bfloat16", "float32"])
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--minutes", type=float, default=8.0)
    given = parser.parse_args()
    given.work = given.work.absolute()
    for variable, name in FOLDERS.items():
        (given.work / name).mkdir(parents=True, exist_ok=True)
        os.environ[variable] = str(given.work / name)
    os.environ["nnUNet_compile"] = "f"
    from nnunet_vit.sample.drawn_dataset import write_sample_dataset

    if not (given.work / "raw" / DATASET).exists():
        write_sample_dataset(given.work / "raw", CASES, 0, image_size=max(given.patches))
    lines = [f"| {' | '.join(TITLES)} |", "|---" * len(TITLES) + "|"]
    print("\n".join(lines), flush=True)
    kept, left = [], []
    for cell, found, beside in cells_of(given):
        if found is None:
            left.append(" ".join(map(str, cell)))
            continue
        lines.append(row_of(cell, found, beside, given))
        kept.append({"cell": cell, "benchmark": found, "u_net_and_plain_loop_seconds": beside})
        print(lines[-1], flush=True)
    (given.work / "grid.md").write_text("\n".join(lines) + "\n")
    (given.work / "grid.json").write_text(json.dumps(kept, indent=2))
    if left:
        print(f"Left out after {given.minutes:g} minutes: {', '.join(left)}.")
    return int(any(isinstance(each["benchmark"], str) for each in kept))


if __name__ == "__main__":
    sys.exit(main())
