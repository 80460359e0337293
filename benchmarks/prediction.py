"""Time `vit_cli predict` beside nnU-Net's own command: the same model, images and mirroring.

    python benchmarks/prediction.py MODEL_FOLDER IMAGES [--device cpu] [--rounds 3] [--folds 0]

Both commands whole, from start to the last mask, in turn; the share of equal pixels is printed too.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager


def seconds(command: list[str], folder: Path) -> float:
    """Return how long a command takes; the folder that it writes to is empty before."""
    shutil.rmtree(folder, ignore_errors=True)
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def equal_share(ours: Path, stock: Path, model: Path) -> float:
    """Return the least share of equal pixels of a mask."""
    plans = PlansManager(str(model / "plans.json"))
    reader = plans.image_reader_writer_class()
    endings = tuple(reader.supported_file_endings)
    masks = [file for file in ours.iterdir() if file.name.endswith(endings)]
    read = [
        [reader.read_seg(str(folder / mask.name))[0] for folder in (ours, stock)] for mask in masks
    ]
    return min(float(np.mean(one == other)) for one, other in read)


def main() -> None:
    """Run both and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("images", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folds", nargs="+", default=["0"])
    given = parser.parse_args()
    work = Path(tempfile.mkdtemp())
    ours, stock = work / "ours", work / "stock"
    bin_folder = Path(sys.executable).parent
    commands = {
        "ours": [str(bin_folder / "vit_cli"), "predict", "-i", str(given.images), "-o", str(ours),
                 "--model", str(given.model), "--device", given.device, "--folds", *given.folds],
        "stock": [str(bin_folder / "nnUNetv2_predict_from_modelfolder"), "-i", str(given.images),
                  "-o", str(stock), "-m", str(given.model), "-f", *given.folds,
                  "-device", given.device],
    }  # fmt: skip
    times: dict[str, list[float]] = {"ours": [], "stock": []}
    for _ in range(given.rounds):
        for name, folder in (("ours", ours), ("stock", stock)):
            times[name].append(seconds(commands[name], folder))
            print(f"{name}: {times[name][-1]:.1f} s", flush=True)
    medians = {name: statistics.median(found) for name, found in times.items()}
    ratio = medians["ours"] / medians["stock"]
    print(f"ours {medians['ours']:.1f} s, stock {medians['stock']:.1f} s: ratio {ratio:.2f}")
    print(f"equal pixels, the least of a mask: {equal_share(ours, stock, given.model):.6f}")


if __name__ == "__main__":
    main()
