"""What the check of a dataset adds to planning and preprocessing it, in one process.

    python benchmarks/data_check.py [--cases 1000] [--edge 128] [--rounds 3]

Noise in colour with blobs as masks, as PNG, in a temporary folder. What the check reads is read for
the fingerprint and the preprocessing too; then the check again, with nothing changed.
"""

import argparse
import json
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from nnunet_vit.files.locks import given_back

NAME = "Dataset999_Drawn"


def write_dataset(raw: Path, cases: int, edge: int) -> None:
    """Write RGB pictures with masks of one class."""
    random = np.random.default_rng(0)
    down, across = np.mgrid[:edge, :edge]
    for inner in ("imagesTr", "labelsTr"):
        (raw / inner).mkdir(parents=True)
    for number in range(cases):
        y, x = random.integers(edge // 4, 3 * edge // 4, 2)
        blob = (down - y) ** 2 + (across - x) ** 2 < (edge // 6) ** 2
        image = random.integers(0, 120, (edge, edge, 3), np.uint8)
        image[blob] += 100
        Image.fromarray(image).save(raw / "imagesTr" / f"c{number:05}_0000.png")
        Image.fromarray(blob.astype(np.uint8)).save(raw / "labelsTr" / f"c{number:05}.png")
    description = {
        "channel_names": {"0": "R", "1": "G", "2": "B"},
        "labels": {"background": 0, "blob": 1}, "numTraining": cases, "file_ending": ".png",
    }  # fmt: skip
    (raw / "dataset.json").write_text(json.dumps(description))


def seconds_of(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--edge", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=3, help="in turn; the medians are compared")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        for key in ("raw", "preprocessed", "results"):
            os.environ[f"nnUNet_{key}"] = f"{root}/{key}"
        write_dataset(Path(root, "raw", NAME), asked.cases, asked.edge)
        measure(root, asked.rounds)


def measure(root: str, rounds: int) -> None:
    """Time planning and preprocessing without and with the check before it, and print them."""
    import nnunetv2.training.nnUNetTrainer.nnUNetTrainer  # noqa: F401 - as a training has it

    from nnunet_vit.data.checking.training_files import check_training_files
    from nnunet_vit.data.dataset import find_dataset
    from nnunet_vit.data.preprocessing.plan_and_preprocess import prepare
    from nnunet_vit.data.preprocessing.raw_files import files_by_case
    from nnunet_vit.data.preprocessing.read_cases import ReadCases
    from nnunet_vit.nnunet.folders import use_processors
    from nnunet_vit.report.progress import Progress

    use_processors()
    dataset, silent = find_dataset(NAME), Progress()

    def alone() -> None:
        prepare(dataset, "2d", silent, fold=0)

    def checked() -> None:  # as a training does it
        read = ReadCases(files_by_case(dataset), fingerprints=True)
        check_training_files(dataset, 16, silent, take=read.take)
        prepare(dataset, "2d", silent, fold=0, read=read)

    def again() -> None:
        check_training_files(dataset, 16, silent)

    def fresh(work: Callable[[], object]) -> float:
        shutil.rmtree(Path(root, "preprocessed"), ignore_errors=True)
        Path(root, "preprocessed").mkdir()
        with given_back():
            return seconds_of(work)

    fresh(alone)  # imports, and the files in the system's memory
    taken = [(fresh(alone), fresh(checked)) for _ in range(rounds)]
    without, with_check = (statistics.median(each) for each in zip(*taken, strict=True))
    unchanged = seconds_of(again)
    print(f"planning and preprocessing {without:.1f} s, with the check {with_check:.1f} s: "
          f"{100 * (with_check / without - 1):.0f} % more; the bar is 10 %")  # fmt: skip
    print(f"the check again, nothing changed: {unchanged:.2f} s")


if __name__ == "__main__":
    main()
