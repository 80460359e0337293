"""The whole way on one GPU with the sample dataset: train, kill, resume, predict, mistakes.

    python benchmarks/gpu/whole_way.py WORK [--device cuda]

Each step prints its title, exit code and seconds, and the end of what it said where that is not
what is expected; masks are compared pixel by pixel with those of the CPU and of stock nnU-Net.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from skimage.io import imread

RUN = """
data: {{dataset: 901, configuration: 2d, fold: 0}}
paths: {{raw: raw, preprocessed: preprocessed, results: {results}}}
model:
  head: {head}
  backbone: {backbone}
  pretrained: false
  tuning: {tuning}
train: {{initial_lr: 0.001, num_epochs: {epochs}, num_iterations_per_epoch: 32, save_every: 1,
  num_val_iterations_per_epoch: 4, batch_size: {batch}, patch_size: [256, 256], seed: 0}}
"""
TINY = "timm:vit_tiny_patch16_224"
SHOWN = 25  # lines of a step that did not end as expected
LIMIT = 150  # seconds of a step


class Way:
    """Runs the steps in one folder and counts those that ended otherwise than expected."""

    def __init__(self, work):
        self.work, self.wrong = work, 0

    def run_file(self, name, head="segformer", backbone=TINY, tuning="full", epochs=5, batch=4):
        """Write a run file and return its path."""
        file = self.work / f"{name}.yaml"
        values = {"head": head, "backbone": backbone, "tuning": tuning}
        file.write_text(RUN.format(results=name, epochs=epochs, batch=batch, **values))
        return str(file)

    def model(self, name):
        """Return the model folder of a run file's results."""
        (folder,) = (self.work / name).glob("*/*__2d")
        return folder

    def step(self, title, *command, expected=0, show=False, killed_after=None, **variables):
        """Run a command; killed_after: a pattern of a file whose appearance ends it by SIGKILL."""
        began = time.time()
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **variables},
            start_new_session=True,
        )
        if killed_after:
            while process.poll() is None and not list(self.work.glob(killed_after)):
                time.sleep(0.05)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        try:
            said, _ = process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            said, _ = process.communicate()
        rc, seconds = process.returncode, time.time() - began
        good = rc == expected and "Traceback" not in said and "error[bug]" not in said
        self.wrong += not good
        print(f"{'ok   ' if good else 'WRONG'} rc {rc:3d} {seconds:6.1f} s  {title}", flush=True)
        if show or not good:
            print("\n".join(f"      {line[:200]}" for line in said.splitlines()[-SHOWN:]))

    def compare(self, title, ours, theirs):
        """Print the share of pixels that two folders of masks have in common."""
        equal, total = 0, 0
        files = sorted((self.work / ours).glob("*.png"))
        if len(files) != len(list((self.work / theirs).glob("*.png"))):
            print(f"      {title}: one of the two has masks that the other lacks")
            return
        for file in files:
            first, second = imread(file), imread(self.work / theirs / file.name)
            equal, total = equal + int(np.sum(first == second)), total + first.size
        share = 100 * equal / max(1, total)
        print(f"      {title}: {share:.4f} % of the pixels equal in {len(files)} masks", flush=True)


def main():
    """Go the whole way."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--device", default="cuda")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    way = Way(given.work)
    dataset = given.work / "raw/Dataset901_SampleFundus"
    images, truth = str(dataset / "imagesTs"), str(dataset / "labelsTs")
    device = ["--device", given.device]
    train = ["vit_cli", "train", *device, "--config"]
    predict = ["vit_cli", "predict", "-i", images]
    if not dataset.is_dir():
        way.step("sample-dataset", "vit_cli", "sample-dataset", str(given.work / "raw"))
    lora = way.run_file("lora", tuning="lora")
    saved = "lora/*/*/fold_0/**/epoch_00002*"
    way.step("train, killed", *train, lora, expected=-signal.SIGKILL, killed_after=saved)
    way.step("train --continue", *train, lora, "--continue", show=True)
    model = ["--model", str(way.model("lora"))]
    ours = str(given.work / "out")
    way.step("predict", *predict, "-o", ours, *model, *device)
    way.step("evaluate", "vit_cli", "evaluate", "-p", ours, "-r", truth, show=True)
    stock = ["-m", model[1], "-f", "0", "-chk", "checkpoint_final.pth", "-device", given.device]
    stock = ["nnUNetv2_predict_from_modelfolder", "-i", images, *stock]
    way.step("stock nnU-Net predicts", *stock, "-o", str(given.work / "out_stock"))
    way.compare("ours beside stock nnU-Net", "out", "out_stock")
    on_cpu = ["-o", str(given.work / "out_cpu"), "--device", "cpu"]
    way.step("predict on the CPU", *predict, *on_cpu, *model)
    way.compare("GPU beside CPU", "out", "out_cpu")
    line = " ".join([*predict, "-o", f"{ours}_pty", *model, *device])
    way.step("predict on a terminal", "script", "-qec", line, "/dev/null", show=True)
    other = [*train[:3], "cuda:7", "--config", lora, "--overwrite"]
    way.step("a GPU that is not there", *other, expected=6, show=True)
    large = way.run_file("large", backbone="timm:vit_large_patch16_224", batch=2000, epochs=1)
    way.step("more than the GPU holds", *train, large, expected=6, show=True)
    own_loss = way.run_file("own_loss", head="mask2former", epochs=2)
    way.step("train a head with its own loss", *train, own_loss, show=True)
    compiled = way.run_file("compiled", epochs=2)
    way.step("train, compiled", *train, compiled, show=True, nnUNet_compile="t")
    return way.wrong


if __name__ == "__main__":
    sys.exit(main())
