"""Write the tables of options into README and docs: python docs/option_tables.py [--check].

A table stands between `<!-- options: WHAT -->` and `<!-- end -->`. WHAT is sections and keys of the
run file (`lora train.ema`), `run` and a key of the file itself, `head NAME`, `heads` for all of
this repository, `mask heads`, `metrics`, `terms` of the loss, `augmentations` or `trackers`. With
--check nothing is written, and pages that differ from the models are an error.
"""

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from nnunet_vit.augmentation import Augmentation, own_augmentations
from nnunet_vit.config.allowed import Allowed
from nnunet_vit.config.head_options import options_model
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.evaluation.class_masks import MetricOptions
from nnunet_vit.evaluation.metrics import own_metrics
from nnunet_vit.hookspecs import HeadOptions, MaskHeadOptions
from nnunet_vit.losses import LossTerm, own_terms
from nnunet_vit.registry import catalogue
from nnunet_vit.registry.plugins import load_plugin
from nnunet_vit.trackers import own_trackers

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "docs/*.md", "plugins/*/README.md")
COMMAND = "python docs/option_tables.py"
MARK = "<!-- options: "
TABLE = re.compile(rf"({MARK}(.+?) -->\n).*?(<!-- end -->)", re.DOTALL)
BAR = r"\|"  # a bar inside a cell
COLUMNS = ("values", "default", "meaning")
Row = tuple[str, ...]
# columns, and what is in the table by its name
NAMED: dict[str, tuple[Row, Callable[[], dict[str, LossTerm | Augmentation]]]] = {
    "terms": (("term", "option", *COLUMNS), own_terms),
    "augmentations": (("key", "option", *COLUMNS), own_augmentations),
}


def differing() -> dict[Path, str]:
    """Return the pages whose tables differ from the models, each with the text that it needs."""
    found = {}
    for path in sorted(path for pattern in PAGES for path in ROOT.glob(pattern)):
        text = path.read_text(encoding="utf-8")
        if text.count(MARK) != len(TABLE.findall(text)):
            raise ValueError(f"{path}: a table of options has no <!-- end -->")
        needed = TABLE.sub(lambda match: f"{match[1]}{table(match[2])}{match[3]}", text)
        if needed != text:
            found[path] = needed
    return found


def table(what: str) -> str:
    """Return the table that a marker asks for."""
    kind, _, name = what.partition(" ")
    if kind == "heads":
        rows = [(head, *row) for head in heads() for row in options(head_model(head))]
        return markdown(("head", "option", *COLUMNS), rows)
    if kind == "head":
        return markdown(("option", *COLUMNS), options(head_model(name)))
    if what == "trackers":
        return markdown(("tracker", "key", *COLUMNS), trackers())
    if kind == "metrics":
        return markdown(("`--metrics`", "kinds of task", "definition"), metrics())
    if kind in NAMED:
        columns, things = NAMED[kind]
        return markdown(columns, described(things().values()))
    if what == "mask heads":
        return markdown(("option", *COLUMNS), options(MaskHeadOptions))
    if kind == "run":  # a key of the run file itself
        return markdown(("key", *COLUMNS), options(ViTnnUNetConfig, only=name))
    return markdown(("key", *COLUMNS), (row for path in what.split() for row in keys(path)))


def keys(path: str) -> Iterator[Row]:
    """Return the rows of a section of the run file, or the row of one key."""
    model: type[BaseModel] = ViTnnUNetConfig
    before, name = "", path
    for part in path.split("."):
        annotation = model.model_fields[part].annotation
        kinds = (annotation, *get_args(annotation))  # a section may be null
        inner = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
        if inner:
            model, before, name = inner[0], f"{before}{part}.", ""
        else:
            name = part
    return options(model, before, name)


def options(model: type[BaseModel], before: str = "", only: str = "") -> Iterator[Row]:
    """Return a row per field of the model, its own before those of its base."""
    allowed = Allowed(model)
    for name in sorted(model.model_fields, key=lambda name: name not in model.__annotations__):
        field = model.model_fields[name]
        if only in ("", name):
            if not field.description:
                raise ValueError(f"{model.__name__}.{name} has no description")
            values = allowed.words((name,)).partition(" with the keys ")[0]
            yield f"`{before}{name}`", values, f"`{default(field)}`", field.description


def default(field: FieldInfo) -> str:
    """Return the field's default as a run file writes it."""
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f")
    return value if isinstance(value, str) and value else json.dumps(value)


def metrics() -> Iterator[Row]:
    """Return a row per metric of evaluate."""
    for metric in own_metrics().values():
        text = metric.defined(MetricOptions(), "mm or pixels")
        yield f"`{metric.name}`", ", ".join(metric.kinds) or "-", text


def trackers() -> Iterator[Row]:
    """Return a row per key of each tracker."""
    for tracker in own_trackers().values():
        for row in list(options(tracker.options)) or [("-", "", "", "")]:
            yield f"`{tracker.name}`: {tracker.summary}", *row


def described(things: Iterable[LossTerm | Augmentation]) -> Iterator[Row]:
    """Return a row for what each is, and one for each of its options."""
    for thing in things:
        yield f"`{thing.name}`", "", "", "", thing.summary
        for option, *more in options(thing.options):
            yield "", option, *more


def heads() -> list[str]:
    """Return the heads of this repository."""
    return sorted(path.parent.name for path in ROOT.glob("plugins/*/pyproject.toml"))


def head_model(head: str) -> type[HeadOptions]:
    """Return the options' model of an installed head."""
    return options_model(load_plugin(catalogue.find(catalogue.HEADS, head)))


def markdown(columns: Row, rows: Iterable[Row]) -> str:
    """Return a table in Markdown."""
    first, *others = (
        f"| {' | '.join(cell.replace('|', BAR) for cell in row)} |\n" for row in (columns, *rows)
    )
    return "".join([first, f"|{'---|' * len(columns)}\n", *others])


def main() -> None:
    """Write the pages, or name those that differ."""
    found = differing()
    if sys.argv[1:] == ["--check"]:
        names = ", ".join(path.relative_to(ROOT).as_posix() for path in found)
        sys.exit(f"{names}: tables differ from the models. Fix: {COMMAND}." if found else 0)
    for path, text in found.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
