"""Trains a study's cells, each on one core for equal minutes, and writes docs/accuracy.md.

    python benchmarks/accuracy/run.py RAW WEIGHTS WORK [--stages small] [--cores 0 1]

RAW holds Dataset502_DSB2018; WEIGHTS is the snapshot of a DINOv2-small; WORK is written to. What
benchmarks/accuracy/results.jsonl has is not trained again: a study that was ended goes on, and
other stages add to it. A cell that fails is a row too, with its reason; `--again` tries those once
more. Cells that are compared follow each other, so that what the machine does falls on all of them.
Minutes become steps by paces.json, a quiet core's seconds of a step: measured where it lacks them;
`--measure` measures those of the stages once more and trains nothing.
"""

import argparse
import json
import platform
import queue
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

from cell_training import environment, measure_pace, measured, ours, stock
from study_cells import cell_of, cells_of, study_of
from study_data import prepared
from study_decoding import decodings_of
from study_paces import Paces
from study_page import write_page
from study_picture import draw_curves

HERE = Path(__file__).parent
RESULTS = HERE / "results.jsonl"
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def main():
    """Train what is missing, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("raw", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--study", type=Path, default=HERE / "study.yaml")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--stages", nargs="+", default=["small"])
    parser.add_argument("--cores", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--paces", type=Path, default=HERE / "paces.json")
    parser.add_argument("--again", action="store_true", help="try failed cells once more")
    parser.add_argument("--measure", action="store_true", help="measure paces, train nothing")
    parser.add_argument("--page", type=Path, default=HERE.parents[1] / "docs" / "accuracy.md")
    given = parser.parse_args()
    work = given.work.absolute()
    work.mkdir(parents=True, exist_ok=True)
    study = study_of(given.study) | {"paces": Paces(given.paces, again=given.measure)}
    rows = rows_of(given.results)
    done = {cell_of(row) for row in rows if not (given.again and "failed" in row)}
    left = [cell for cell in cells_of(study, given.stages) if given.measure or cell not in done]
    if left:
        prepare(study, {cell.dataset for cell in left}, work, given)
    lock = threading.Lock()

    def do(cell, core):
        if given.measure:
            measure_pace(cell, study, work, environment(work), core)
            return
        row = {**cell.as_row(), **trained(cell, study, work, core)}
        with lock, given.results.open("a") as file:
            file.write(json.dumps(row) + "\n")
            print(cell.name, row.get("dice", row.get("failed")), flush=True)

    on_each_core(given.cores, left, do)
    rows = rows_of(given.results)
    write_page(given.page, study, rows)
    pictures = given.page.parent / "pictures"
    pictures.mkdir(exist_ok=True)
    draw_curves(pictures, rows, study)


def prepare(study, names, work, given):
    """Make datasets, link the weights, let nnU-Net plan and preprocess."""
    link = work / "weights"
    if not link.exists():
        link.symlink_to(given.weights.absolute())
    for name in sorted(names):
        spec = study["datasets"][name]
        folder, splits = prepared(name, spec, study, work, given.raw)
        place = work / "stock" / folder.name
        if (place / "splits_final.json").is_file():
            continue
        variables = environment(work) | {
            "nnUNet_preprocessed": str(work / "stock"), "nnUNet_def_n_proc": "2",
        }  # fmt: skip
        commands = (  # in 2D the plans of both take the same preprocessed data
            ("plan_and_preprocess", "-d", str(spec["id"]), "-c", "2d"),
            ("plan_experiment", "-d", str(spec["id"]), "-pl", "nnUNetPlannerResEncM"),
        )
        for verb, *words in commands:
            command = [Path(sys.executable).with_name(f"nnUNetv2_{verb}"), *words]
            subprocess.run(command, env=variables, check=True, **QUIET)
        (place / "splits_final.json").write_text(splits.read_text())


def on_each_core(cores, cells, do):
    """Do something with cell after cell, on each core one at a time."""
    free = queue.SimpleQueue()
    for core in cores:
        free.put(core)

    def on_free_core(cell):
        core = free.get()
        try:
            do(cell, core)
        finally:
            free.put(core)

    with ThreadPoolExecutor(len(cores)) as pool:
        list(pool.map(on_free_core, cells))


def trained(cell, study, work, core):
    """Return what a cell's row has beside the cell."""
    way = stock if "stock" in study["methods"][cell.method] else ours
    about = {"date": f"{date.today()}", "processor": processor(), "commit": commit()}
    try:
        found, validation = way(cell, study, work, environment(work), core)
        numbers = {key: round(value, 2) for key, value in found.items()}
        decoded = {key: round(value, 5) for key, value in decodings_of(validation).items()}
        row = {**numbers, **measured(validation), "decoded": decoded, **about}
    except Exception as problem:  # whatever it is, it is the cell's result
        return {"failed": f"{type(problem).__name__}: {problem}"[-300:], **about}
    shutil.rmtree(work / cell.name, ignore_errors=True)  # of one that failed the log stays
    return row


def processor():
    """Return the processor's name."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def commit():
    """Return the commit that is trained with."""
    words = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(words, cwd=HERE, capture_output=True, text=True).stdout.strip()


def rows_of(path):
    """Return all results; of a cell that was tried again, the last."""
    if not path.is_file():
        return []
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return list({cell_of(row): row for row in rows}.values())


if __name__ == "__main__":
    main()
