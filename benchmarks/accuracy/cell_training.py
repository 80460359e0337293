"""Trains a cell on one core, by `vit_cli train` or as stock nnU-Net does, and reads its Dice."""

import csv
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

from study_clock import processor_seconds
from study_keys import is_planned, keys_of

HERE = Path(__file__).parent
VIT_CLI = [sys.executable, "-c", "from nnunet_vit.cli import main; main()"]
TRIED_EPOCHS, TRIED_STEPS = 6, 6  # of the short training that tells the time of a step
SECONDS_OF_EPOCH = ("data_seconds", "step_seconds", "seconds")


def environment(work):
    """Return the variables of a training that has a core of its own."""
    return os.environ | {
        "nnUNet_raw": str(work / "raw"),
        "nnUNet_preprocessed": str(work / "preprocessed"),
        "nnUNet_results": str(work / "results"),
        "nnUNet_n_proc_DA": "1",
        "nnUNet_def_n_proc": "1",
        "nnUNet_npp": "1",
        "OMP_NUM_THREADS": "1",
    }


def output_of(words, given, core, log):
    """Run a command on a core; return what it printed, and the processor's minutes.

    Raises:
        RuntimeError: it ended with another code than 0; the last line is in the message.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as file:
        run = _started(words, given, core, file)
        _, status, used = os.wait4(run.pid, 0)
    run.returncode = os.waitstatus_to_exitcode(status)
    said = log.read_text()
    if run.returncode:
        last = said.strip().splitlines()[-1:] or [""]
        raise RuntimeError(f"exit code {run.returncode}: {last[0]}")
    return said, (used.ru_utime + used.ru_stime) / 60


def _started(words, given, core, output):
    """Start a command on a core."""
    return subprocess.Popen(
        words, env=given, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
        text=True, preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )  # fmt: skip


def ours(cell, study, place, given, core):
    """Train with `vit_cli train`; return steps, minutes, and the folder of the validation."""
    epochs = study["epochs"]
    keys = _keys(cell, study, place, given, core)
    steps = _steps(cell, study, _pace(cell, study, place, given, core, keys=keys))
    results = place / cell.name
    words = _words(cell, study, place, results, keys=keys, length=(epochs, steps))
    said, processor = output_of(words, given, core, results / "log.txt")
    fold = Path(re.search(r"Model: (.+)", said)[1]) / f"fold_{_fold(cell, study)}"
    seconds = sum(row["seconds"] for row in _history(fold))
    found = {"steps": epochs * steps, "trained_minutes": seconds / 60, "cpu_minutes": processor}
    return found, fold / "validation"


def measure_pace(cell, study, place, given, core):
    """Measure how long a step of a cell's method takes; trains nothing."""
    if "stock" in study["methods"][cell.method]:
        _stock_pace(cell, study, place, given, core)
    else:
        keys = _keys(cell, study, place, given, core)
        _pace(cell, study, place, given, core, keys=keys)


def _keys(cell, study, place, given, core):
    def plan(words, log):
        return output_of([*VIT_CLI, "plan", *words], given, core, log)[0]

    return keys_of(cell, study, place, plan)


def _words(cell, study, place, results, *, keys, length):
    """Return the command of a training with so many epochs of so many steps."""
    epochs, steps = length
    keys = {
        **keys,
        "train.seed": cell.seed,
        "train.num_epochs": epochs,
        "train.num_iterations_per_epoch": steps,
        "train.num_val_iterations_per_epoch": 1,
        "paths.results": results,
    }
    identifier = study["datasets"][cell.dataset]["id"]
    words = [*VIT_CLI, "train", str(identifier), "2d", str(_fold(cell, study)), "--device", "cpu",
             "--overwrite", "--probabilities", "--set"]  # fmt: skip
    return [*words, *(f"{key}={_text(value)}" for key, value in keys.items())]


def _text(value):
    return str(value) if isinstance(value, Path) else json.dumps(value)


def _fold(cell, study):
    return study["shares"].index(cell.share)


def _steps(cell, study, pace):
    """Return how many steps of an epoch fill its share of the cell's minutes."""
    fixed, step = pace
    return max(1, round((60 * cell.minutes / study["epochs"] - fixed) / step))


def _pace(cell, study, place, given, core, *, keys):
    """Return the seconds of an epoch beside its steps, and of a step, by a short training."""
    planned = f" {cell.minutes:g} min" if is_planned(study, cell.method) else ""
    name = f"{cell.dataset}, {study['paced as'][cell.method]}{planned}"

    def measure():
        results = place / f"pace of {name}"
        shutil.rmtree(results, ignore_errors=True)
        length = (TRIED_EPOCHS, TRIED_STEPS)
        words = _words(cell, study, place, results, keys=keys, length=length)
        found = _tried(results, _run_to_last_epoch(words, given, core))
        shutil.rmtree(results)
        return found

    return study["paces"].of(name, measure)


def _tried(results, used):
    """Return the seconds of an epoch beside its steps, and of a step, each of the quickest epoch.

    Args:
        results: of a short training.
        used: the seconds of the core that each epoch but the first had.
    """
    (history,) = results.glob("**/history.csv")
    fixed, steps = [], []
    # the last epoch's row may be missing: the training is killed as soon as the epoch is told
    for row, seconds in zip(_history(history.parent)[1:], used, strict=False):
        share = min(1.0, seconds / row["seconds"])
        taken = row["data_seconds"] + row["step_seconds"]
        fixed.append(share * (row["seconds"] - taken))
        steps.append(share * taken / TRIED_STEPS)
    return min(fixed), min(steps)


def _run_to_last_epoch(words, given, core):
    """Run a training whose end is not waited for; return what its later epochs had of the core."""
    run, said, clocks = _started(words, given, core, subprocess.PIPE), [], []
    for line in run.stdout:
        said.append(line)
        if line.startswith("epoch "):
            clocks.append(processor_seconds(run.pid))
        if line.startswith(f"epoch {TRIED_EPOCHS}/"):
            run.send_signal(signal.SIGKILL)
    if run.wait() != -signal.SIGKILL:
        raise RuntimeError("".join(said)[-500:])
    return [later - before for before, later in pairwise(clocks)]


def _history(fold):
    """Return the numbers of each epoch."""
    with (fold / "history.csv").open() as file:
        return [{key: float(row[key]) for key in SECONDS_OF_EPOCH} for row in csv.DictReader(file)]


def stock(cell, study, place, given, core):
    """Train with nnU-Net's own trainer; return as `ours` does."""
    steps = _steps(cell, study, _stock_pace(cell, study, place, given, core))
    length = (study["epochs"], steps, cell.seed)
    told, processor = _stock_run(cell, study, place, given, core, *length)
    (validation,) = place.glob(f"{cell.name}/results/*/*/fold_*/validation")
    found = {
        "steps": told["steps"],
        "trained_minutes": told["seconds"] / 60,
        "cpu_minutes": processor,
    }
    return found, validation


def _stock_pace(cell, study, place, given, core):
    def measure():
        return _stock_run(cell, study, place, given, core)[0]

    return study["paces"].of(f"{cell.dataset}, {cell.method}", measure)


def _stock_run(cell, study, place, given, core, *length):
    """Train, or without a length measure; return what is printed last, and processor minutes."""
    plans = study["methods"][cell.method]["stock"]
    results = place / cell.name
    given = given | {
        "nnUNet_preprocessed": str(place / "stock"), "nnUNet_results": str(results / "results"),
    }  # fmt: skip
    identifier = study["datasets"][cell.dataset]["id"]
    numbers = (identifier, plans, _fold(cell, study), *length)
    words = [sys.executable, HERE / "stock_training.py", *numbers]
    said, processor = output_of(list(map(str, words)), given, core, results / "log.txt")
    return json.loads(said.strip().splitlines()[-1]), processor


def measured(validation):
    """Return nnU-Net's mean Dice of the test images, and each one's: the mean of its classes."""
    summary = json.loads((validation / "summary.json").read_text())
    cases = {
        Path(case["reference_file"]).name.split(".")[0]: _mean(case["metrics"])
        for case in summary["metric_per_case"]
    }
    return {"dice": summary["foreground_mean"]["Dice"], "cases": cases}


def _mean(metrics):
    """Return the mean Dice of the classes that a case has; None where it has none."""
    found = [of["Dice"] for of in metrics.values() if not math.isnan(of["Dice"])]
    return round(sum(found) / len(found), 5) if found else None
