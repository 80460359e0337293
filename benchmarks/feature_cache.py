"""Steps a minute with kept features and without, in turn in one process: medians and their ratio.

    python benchmarks/feature_cache.py [--heads linear segformer mask2former] [--device cpu]

Two trainings of nnU-Net's trainer on the drawn dataset, whose frozen backbone has random weights:
speed does not depend on them. A step is what the training does: wait for the batch, forward,
backward, optimizer. The first steps of the training with kept features, which make the views, are
done before, and their median is printed too. Where it has one core (`taskset -c 0`, with
nnUNet_n_proc_DA=0), the processor's time is taken, augmentation included, which other programs do
not change. The parts of a step (batch, forward without backward,
the rest) tell what is left when the frozen part is gone. Prints a table in Markdown.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.report.progress import Progress
from nnunet_vit.sample.drawn_dataset import write_sample_dataset
from nnunet_vit.training.callbacks.feature_keeping import FeatureKeeping
from nnunet_vit.training.execution import make_trainer
from nnunet_vit.training.fold_preparation import Request, prepare_fold
from nnunet_vit.training.run import opened

TITLES = ("head", "batch", "step", "first steps", "step, kept", "ratio", "of it: batch", "forward",
          "rest", "GB for 1000 views")  # fmt: skip
BAR = 5.0
ONE_CORE = len(os.sched_getaffinity(0)) == 1
CLOCK = time.process_time if ONE_CORE else time.perf_counter


class Said(Progress):
    """Shows what is kept."""

    def log(self, text):
        print(text, file=sys.stderr)


def run_of(head, folder, cache, given):
    """Return a run of the head on the drawn dataset."""
    places = {key: str(folder / key) for key in ("raw", "preprocessed")}
    results = str(folder / f"{head} {'kept' if cache else 'plain'}")
    return ViTnnUNetConfig.model_validate({
        "data": {"dataset": 901, "configuration": "2d", "fold": 0},
        "paths": {**places, "results": results},
        "model": {"head": head, "backbone": given.backbone, "pretrained": False,
                  "tuning": given.tuning},
        "train": {"batch_size": given.batch, "patch_size": [given.size] * 2, "seed": 1,
                  "feature_cache": cache},
    })  # fmt: skip


def trainer_of(run, device):
    """Return a trainer that has started."""
    with opened(run, Progress()) as known:
        ready = prepare_fold(known, Request(device=device), Progress())
        trainer = make_trainer(ready.dataset, known, ready.plans, device=ready.device,
                               resumes=False)  # fmt: skip
    trainer.progress = Said()
    trainer.on_train_start()
    trainer.on_train_epoch_start()
    return trainer


def done(trainer):
    """Wait for a GPU."""
    if trainer.device.type == "cuda":
        torch.cuda.synchronize()


def timed_step(trainer):
    """Return the seconds that a step waits for its batch, and that it takes then."""
    started = CLOCK()
    batch = next(trainer.dataloader_train)
    waited = CLOCK()
    trainer.train_step(batch)
    done(trainer)
    return waited - started, CLOCK() - waited


def forward_seconds(trainer):
    """Return the seconds of a step's forward pass with kept features."""
    batch = next(trainer.dataloader_train)
    started = CLOCK()
    with trainer.callbacks.of(FeatureKeeping).serving(batch):
        trainer.network(batch["data"].to(trainer.device))
    done(trainer)
    return CLOCK() - started


def measured(head, folder, given):
    """Return the row of a head."""
    cache = {"views": 4, "where": given.where, "dtype": given.dtype}
    plain = trainer_of(run_of(head, folder, None, given), given.device)
    kept = trainer_of(run_of(head, folder, cache, given), given.device)
    plan = kept.dataloader_train.plan
    first = [sum(timed_step(kept)) for _ in range(plan.lots)]
    usual, waits, steps, forwards = [], [], [], []
    for _ in range(given.steps + 1):  # the first one of each is left out
        usual.append(sum(timed_step(plain)))
        wait, step = timed_step(kept)
        waits.append(wait)
        steps.append(step)
        forwards.append(forward_seconds(kept))
    step, wait, forward = (statistics.median(each[1:]) for each in (steps, waits, forwards))
    before = statistics.median(usual[1:])
    thousand = 1000 * kept.callbacks.of(FeatureKeeping).cache.bytes_of_view / 1e9
    for trainer in (plain, kept):
        trainer.on_train_end = None
        close = getattr(trainer.dataloader_train, "_finish", None)
        if close is not None:
            close()
        trainer.dataloader_val = trainer.dataloader_train = None
    seconds = [f"{each:.3f} s" for each in (before, statistics.median(first), step + wait)]
    parts = [f"{each:.3f} s" for each in (wait, forward, step - forward)]
    ratio = before / (step + wait)
    return (head, str(given.batch), *seconds, f"{ratio:.1f}", *parts, f"{thousand:.2f}"), ratio


def arguments():
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--heads", nargs="+", default=["linear", "segformer", "mask2former"])
    parser.add_argument("--backbone", default="timm:vit_base_patch16_224")
    parser.add_argument("--tuning", default="frozen", choices=["frozen", "last_blocks"])
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--cases", type=int, default=5)
    parser.add_argument("--where", default="memory", choices=["memory", "disk"])
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float32"])
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


def main():
    """Measure the heads one after the other."""
    given = arguments()
    print(f"{given.backbone}, {given.size} x {given.size}, {given.device}, "
          f"{'seconds of the processor, ' if ONE_CORE else ''}"
          f"{torch.get_num_threads()} threads, torch {torch.__version__}")  # fmt: skip
    print(f"| {' | '.join(TITLES)} |\n|{'---|' * len(TITLES)}", flush=True)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_sample_dataset(folder / "raw", training_cases=given.cases, test_cases=1,
                             image_size=given.size + 32)  # fmt: skip
        output, below = os.dup(1), []
        os.dup2(2, 1)  # nnU-Net prints
        for head in given.heads:
            row, ratio = measured(head, folder, given)
            os.write(output, f"| {' | '.join(row)} |\n".encode())
            below += [head] if ratio < BAR else []
        os.dup2(output, 1)
    print(f"below {BAR:g} times: {', '.join(below) or 'none'}")


if __name__ == "__main__":
    main()
