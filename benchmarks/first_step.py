"""Seconds from a raw dataset to the first training step, beside nnU-Net's own two commands.

    python benchmarks/first_step.py RAW_DATASET [--rounds 2] [--more train.batch_size=8 …]

RAW_DATASET is a folder DatasetXXX_Name in nnU-Net's format. Each side starts with empty folders for
preprocessed data and results, and ends where nnU-Net's `train_step` is called for the first time,
with a batch in hand: the step itself is another network's. nnU-Net's side is
`nnUNetv2_plan_and_preprocess -d ID -c 2d --verify_dataset_integrity` and `nnUNetv2_train ID 2d 0`;
ours is `vit_cli train ID` with a ViT without pretrained weights, whose check, plan and
preprocessing are part of it.
"""

import argparse
import contextlib
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BIN = Path(sys.executable).parent
OPEN = ["model.pretrained=false", "model.backbone=timm:vit_small_patch16_224"]
# Put on PYTHONPATH: ends the process where the trainer's module has been imported and its
# train_step is called. Nothing is imported that the command does not import itself.
HOOK = """
import importlib.abc, importlib.machinery, os, sys, time
NAMES = {"nnunetv2.training.nnUNetTrainer.nnUNetTrainer": "nnUNetTrainer",
         "nnunet_vit.training.trainer": "nnUNetTrainer_vit"}
def reached(*_):
    with open(os.environ["FIRST_STEP_FILE"], "w") as file:
        file.write(repr(time.time()))
    os.kill(os.getpid(), 9)
class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name not in NAMES:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        run = spec.loader.exec_module
        def executed(module):
            run(module)
            getattr(module, NAMES[name]).train_step = reached
        spec.loader.exec_module = executed
        return spec
sys.meta_path.insert(0, Finder())
"""


def seconds(commands: list[list[str]], folder: Path, environment: dict[str, str]) -> list[float]:
    """Return how long each command takes; the last one to its first training step."""
    reached = folder / "reached"
    given = {**os.environ, **environment, "FIRST_STEP_FILE": str(reached)}
    given["PYTHONPATH"] = str(folder / "hook")
    found = []
    for command in commands:
        began = time.time()
        code, said = whole_group(command, given)
        ended = float(reached.read_text()) if reached.exists() else time.time()
        if code and not reached.exists():
            sys.exit(said)
        found.append(ended - began)
    if not reached.exists():
        sys.exit("no training step was reached")
    return found


def whole_group(command: list[str], environment: dict[str, str]) -> tuple[int, str]:
    """Run a command; end the workers that it leaves behind where it ends itself."""
    with tempfile.TemporaryFile() as said:
        run = subprocess.Popen(
            command, env=environment, stdout=said, stderr=subprocess.STDOUT, start_new_session=True
        )
        code = run.wait()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
        said.seek(0)
        return code, said.read().decode()[-3000:]


def sides(dataset: Path, more: list[str]) -> dict[str, list[list[str]]]:
    """Return the commands of each side."""
    number = str(int(dataset.name[7:10]))
    return {
        "stock": [
            [str(BIN / "nnUNetv2_plan_and_preprocess"), "-d", number, "-c", "2d",
             "--verify_dataset_integrity"],
            [str(BIN / "nnUNetv2_train"), number, "2d", "0", "-device", "cpu"],
        ],
        "ours": [
            [str(BIN / "vit_cli"), "train", number, "--device", "cpu", "--set", *OPEN, *more],
        ],
    }  # fmt: skip


def main() -> None:
    """Run both in turn and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--more", nargs="*", default=[], help="changes of keys for ours")
    parser.add_argument("--ours", action="store_true", help="ours alone")
    given = parser.parse_args()
    dataset = given.dataset.resolve()
    times: dict[str, list[float]] = {"stock": [], "ours": []}
    for _ in range(given.rounds):
        for side, commands in sides(dataset, given.more).items():
            if given.ours and side == "stock":
                continue
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                (folder / "hook").mkdir()
                (folder / "hook" / "sitecustomize.py").write_text(HOOK)
                (folder / "raw").mkdir()
                (folder / "raw" / dataset.name).symlink_to(dataset)
                keys = ("raw", "preprocessed", "results")
                found = seconds(
                    commands, folder, {f"nnUNet_{key}": str(folder / key) for key in keys}
                )
            times[side].append(sum(found))
            parts = " + ".join(f"{part:.1f}" for part in found)
            print(f"{side}: {parts} = {times[side][-1]:.1f} s", flush=True)
    if given.ours:
        return
    ours, stock = (statistics.median(times[side]) for side in ("ours", "stock"))
    print(f"ours {ours:.1f} s, stock {stock:.1f} s: ratio {ours / stock:.2f}; the bar is 0.5")


if __name__ == "__main__":
    main()
