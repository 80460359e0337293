"""A training step on this CPU beside the version before, both in turn in one run.

    python benchmarks/training_step.py BEFORE [--heads segformer unetr dpt]
        [--backbones vit_tiny_patch16_224 vit_small_patch16_224] [--rounds 3]

BEFORE is a checkout of the version before, as `git worktree add /tmp/before TAG` makes one; its
code runs in this environment. Steps are those of the trainer (network, loss of nnU-Net, clipping,
AdamW), with random weights, on 16 images of 128 x 128. Prints for each head and backbone the
median seconds of BEFORE in float32, and of this version in float32 and as `precision: auto`
chooses, with their ratios to it.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
SIZE, BATCH = 128, 16
CHILD = "--child"


def main():
    """Print a line for each head and backbone."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("--heads", nargs="+", default=["segformer", "unetr", "dpt"])
    backbones = ["vit_tiny_patch16_224", "vit_small_patch16_224"]
    parser.add_argument("--backbones", nargs="+", default=backbones)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    sides = {
        "before": (given.before.resolve(), "float32"),
        "float32": (HERE, "float32"),
        "auto": (HERE, "auto"),
    }
    for backbone in given.backbones:
        for head in given.heads:
            compare(sides, head, backbone, given.rounds)


def compare(sides, head, backbone, rounds):
    """Let all sides compute in turn, and print their medians."""
    processes = {name: started(*side, head, backbone) for name, side in sides.items()}
    seconds = {name: [] for name in sides}
    for _ in range(rounds):
        for name, process in processes.items():
            process.stdin.write("step\n")
            process.stdin.flush()
            seconds[name].append(json.loads(process.stdout.readline()))
    for process in processes.values():
        process.stdin.close()
        process.wait()
    middle = {name: statistics.median(each) for name, each in seconds.items()}
    parts = [f"{name} {s:.3f} s ({s / middle['before']:.2f})" for name, s in middle.items()]
    print(f"{backbone} {head}: {', '.join(parts)}", flush=True)


def started(checkout, precision, head, backbone):
    """Start a process of a checkout's code that does steps when it is told."""
    places = [checkout / "core", *sorted((checkout / "plugins").iterdir())]
    return subprocess.Popen(
        [sys.executable, __file__, CHILD, precision, head, backbone],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, places))},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def child(precision, head, backbone):
    """Answer each line with the seconds of a step: the median of some."""
    from nnunet_vit.config.load import load_run
    from nnunet_vit.profiling.assumptions import Notes, Tile, dataset_of
    from nnunet_vit.profiling.measured_run import Measured
    from nnunet_vit.report import startup
    from nnunet_vit.training.probing.network_steps import measured_steps

    startup.prepare()  # as in a command: freed memory is used again
    model = {
        "pretrained": "false", "head": head, "backbone": f"timm:{backbone}", "precision": precision,
    }  # fmt: skip
    run = load_run(None, [f"model.{key}={value}" for key, value in model.items()])
    statistics_of_channels = ([0.5] * 3, [0.25] * 3)
    measured = Measured(run, dataset_of(run, Notes())[0], statistics_of_channels, "cpu")
    for _ in sys.stdin:
        found = measured_steps(measured, Tile((SIZE, SIZE), BATCH), "cpu")
        print(json.dumps(found.step), flush=True)


if __name__ == "__main__":
    child(*sys.argv[2:]) if sys.argv[1:2] == [CHILD] else main()
