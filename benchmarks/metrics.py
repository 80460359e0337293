"""Time all metrics of `vit_cli evaluate` on masks of 512 x 512, beside MONAI on the same masks.

    python benchmarks/metrics.py [--masks 1000] [--probabilities]

Masks are smooth blobs, of which each covers about half of the image: more surface than most have.
MONAI (if installed) measures HD, HD95, ASSD and NSD of the same masks in one process, as its
functions do; ours is the whole command: it starts, looks at each file, measures all and writes.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter
from skimage.io import imread, imsave

SIZE, SMOOTH, OF_MONAI = 512, 12, 50
DESCRIPTION = {
    "labels": {"background": 0, "blob": 1},
    "file_ending": ".png",
    "channel_names": {"0": "R"},
}


def write(folder: Path, count: int, probabilities: bool) -> None:
    """Write predictions and references that differ by noise."""
    for name in ("predictions", "references"):
        (folder / name).mkdir()
    (folder / "predictions/dataset.json").write_text(json.dumps(DESCRIPTION))
    (folder / "predictions/plans.json").write_text(json.dumps({"configurations": {}}))
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda number: write_case(folder, number, probabilities), range(count)))


def write_case(folder: Path, number: int, probabilities: bool) -> None:
    random = np.random.default_rng(number)
    truth = gaussian_filter(random.normal(size=(SIZE, SIZE)), SMOOTH)
    guess = truth + 0.4 * gaussian_filter(random.normal(size=(SIZE, SIZE)), SMOOTH)
    for name, field in (("references", truth), ("predictions", guess)):
        mask = (field > 0.005).astype(np.uint8)
        imsave(folder / name / f"case_{number:04}.png", mask, check_contrast=False)
    if probabilities:
        chance = 1 / (1 + np.exp(-(guess - 0.005) * 200))
        both = np.stack([1 - chance, chance])[:, None].astype(np.float32)
        np.savez(folder / "predictions" / f"case_{number:04}.npz", probabilities=both)


def ours(folder: Path) -> float:
    """Return the seconds of the command."""
    words = ["evaluate", "-p", "predictions", "-r", "references", "--metrics", "all"]
    began = time.perf_counter()
    command = [sys.executable, "-m", "nnunet_vit", *words]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def of_monai(folder: Path, count: int) -> float:
    """Return the seconds of MONAI's four metrics for all masks, by some of them."""
    import torch
    from monai import metrics

    measured = min(count, OF_MONAI)
    began = time.perf_counter()
    for number in range(measured):
        masks = [
            imread(folder / name / f"case_{number:04}.png") > 0
            for name in ("predictions", "references")
        ]
        pair = [torch.from_numpy(np.stack([~one, one])[None]).float() for one in masks]
        metrics.compute_hausdorff_distance(*pair)
        metrics.compute_hausdorff_distance(*pair, percentile=95)
        metrics.compute_average_surface_distance(*pair, symmetric=True)
        metrics.compute_surface_dice(*pair, [2.0])
    return (time.perf_counter() - began) * count / measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--masks", type=int, default=1000)
    parser.add_argument("--probabilities", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, given.masks, given.probabilities)
        seconds = ours(folder)
        print(f"{given.masks} masks, all metrics, {os.cpu_count()} cores: {seconds:.1f} s")
        try:
            theirs = of_monai(folder, given.masks)
        except ImportError:
            return
        print(f"MONAI, HD, HD95, ASSD and NSD alone: {theirs:.1f} s; ratio {theirs / seconds:.2f}")


if __name__ == "__main__":
    main()
