"""The keys of a cell's run file: a method's own, or what `vit_cli plan` chooses for its minutes."""

import json
import threading
from collections import defaultdict

PLANNED = "planned"  # the key of a method that leaves all to the planner
AROUND = 4  # minutes of start, checkpoints and final validation, which --hours counts
LENGTH = ("num_epochs", "num_iterations_per_epoch", "num_val_iterations_per_epoch")
PLANNING = threading.Lock()  # a plan is made once, and waited for


def given_keys(study, method):
    """Return the keys that a method gives; one that is planned leaves the others open."""
    own = study["methods"][method]
    return study["network"] if PLANNED in own else {**study["network"], **study["sizes"], **own}


def is_planned(study, method):
    """Tell whether a method leaves all to the planner."""
    return PLANNED in study["methods"][method]


def keys_of(cell, study, place, plan):
    """Return the keys of a cell, its length and its folders apart.

    Args:
        cell: of a method of ours.
        study: the whole of it.
        place: folder to work in, which keeps plans.
        plan: `plan(words, log)` returns what `vit_cli plan` with these words prints.
    """
    keys = {**given_keys(study, cell.method), "data.splits": place / f"splits_{cell.dataset}.json"}
    if keys.get("model.pretrained", True):
        keys["model.checkpoint_path"] = place / "weights"
    if is_planned(study, cell.method):
        keys |= planned_keys(cell, study, place, keys, plan)
    return keys


def planned_keys(cell, study, place, keys, plan):
    """Return what is planned for a cell's minutes: once, and the number of steps apart."""
    kept = place / f"plan {cell.dataset} {cell.minutes:g}min.json"
    with PLANNING:
        if not kept.is_file():
            begun = kept.with_suffix(".yaml")
            begun.write_text(json.dumps(_sections(study["datasets"][cell.dataset]["id"], keys)))
            hours = f"{(cell.minutes + AROUND) / 60:.4f}"
            words = ["--config", begun, "--device", "cpu", "--hours", hours, "--json"]
            said = plan([*map(str, words)], kept.with_suffix(".log"))
            kept.write_text(json.dumps(json.loads(said[said.index("{") :])["planned"], indent=1))
    values = {value["key"]: value["value"] for value in json.loads(kept.read_text())}
    return {key: value for key, value in values.items() if key.split(".")[-1] not in LENGTH}


def _sections(dataset, keys):
    """Return a run file's sections, which are YAML as JSON has them."""
    sections = defaultdict(dict, data={"dataset": dataset})
    for key, value in keys.items():
        section, name = key.split(".")
        sections[section][name] = value if isinstance(value, int | float | list) else str(value)
    return sections
