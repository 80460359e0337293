"""The cells of a study: what one training is, and which of them a study file asks for."""

from dataclasses import asdict, dataclass
from itertools import product

import yaml


@dataclass(frozen=True)
class Cell:
    """One training and its Dice on the test images.

    Attributes:
        dataset: a name of the study.
        method: likewise.
        share: of the training images.
        minutes: of one core, for the epochs.
        seed: of the training.
    """

    dataset: str
    method: str
    share: float
    minutes: float
    seed: int

    @property
    def name(self):
        """The cell in words, which name its folder."""
        parts = (self.dataset, self.method, f"{self.share:g}", f"{self.minutes:g}min", self.seed)
        return " ".join(map(str, parts))

    def as_row(self):
        """Return it as the results keep it."""
        return asdict(self)


def cell_of(row):
    """Return the cell of a row of the results."""
    return Cell(**{key: row[key] for key in Cell.__dataclass_fields__})


EVERY = "every head"  # a stage's name for all heads with all tuning methods
LIKE = "like"  # a method's key: the one whose keys and pace it has, but for its own keys


def study_of(path):
    """Read a study file; each head with each tuning method becomes a method."""
    study = yaml.safe_load(path.read_text())
    pairs = {
        f"{tuning} {head}": _with_head(keys, head)
        for head, (tuning, keys) in product(study["heads"], study["tunings"].items())
    }
    for stage in study["stages"].values():
        stage["methods"] = list(pairs) if stage["methods"] == [EVERY] else stage["methods"]
    methods = {**study["methods"], **pairs}
    return {
        **study,
        "methods": {name: _whole(keys, methods) for name, keys in methods.items()},
        "paced as": {name: keys.get(LIKE, name) for name, keys in methods.items()},
    }


def _with_head(keys, head):
    """Return a tuning method's keys with a head."""
    if LIKE in keys:
        return {**keys, LIKE: f"{keys[LIKE]} {head}"}
    return {**keys, "model.head": head}


def _whole(keys, methods):
    """Return a method's keys with those of the one that it is like."""
    own = {key: value for key, value in keys.items() if key != LIKE}
    return {**methods[keys[LIKE]], **own} if LIKE in keys else own


def cells_of(study, stages):
    """Return the cells of some stages in order, each once.

    Cells that are compared with each other lie side by side: what else the machine does falls on
    all of them.
    """
    found = {}
    for stage in stages:
        lists = study["stages"][stage]
        axes = ("datasets", "shares", "minutes", "seeds", "methods")
        for dataset, share, minutes, seed, method in product(*(lists[axis] for axis in axes)):
            found[Cell(dataset, method, share, minutes, seed)] = None
    return list(found)
