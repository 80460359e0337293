"""The page itself: one HTML file with its style, its script and its pictures inside."""

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.errors import ConfigError
from nnunet_vit.evaluation.reporting.comparison_rows import ComparedRuns
from nnunet_vit.evaluation.reporting.environment import made_by
from nnunet_vit.evaluation.reporting.run_section import RunSection
from nnunet_vit.files.writable import check_writable

if TYPE_CHECKING:
    from markupsafe import Markup

ROOM, FOLDER = "nnunet_vit.evaluation.reporting", "page_files"
GENERATOR = '<meta name="generator" content="nnunet-vit report">'  # a page of ours is known by it
BEGINNING = b"<!doctype html>"
HEAD = 4096  # bytes of a page that hold both
PARTS = {
    "summary": "Summary", "curves": "Curves", "metrics": "Metrics", "cases": "Cases",
    "pictures": "Worst and best", "confusion": "Confusion", "size": "Size and calibration",
    "again": "Environment",
}  # fmt: skip


def page_text(runs: Sequence[RunSection], compared: ComparedRuns | None, again: str) -> str:
    """Return the page.

    What comes from names of files and classes is escaped, and the page's own policy runs no script
    and asks no address but what it was written with.

    Args:
        runs: one or more.
        compared: of several runs; None: of one.
        again: the command that makes the page again.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader(ROOM, FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["breakable"] = breakable
    style, script = (_own(name) for name in ("page.css", "page.js"))
    level = "h2" if compared else "h1"
    text = environment.get_template("page.html").render(
        title=_title(runs),
        runs=runs,
        compared=compared,
        parts=PARTS,
        heading=(Markup(f'<{level} class="run-title"'), Markup(f"</{level}>")),
        again=again,
        made_by=made_by(),
        generator=Markup(GENERATOR),
        style=Markup(style),
        style_hash=_digest(style),
        script=Markup(script),
        script_hash=_digest(script),
    )
    # names of files may hold bytes that are no UTF-8
    return text.encode("utf-8", "backslashreplace").decode()


def _title(runs: Sequence[RunSection]) -> str:
    if len(runs) == 1:
        return runs[0].facts.title
    datasets = {dict(run.facts.facts).get("Dataset", "") for run in runs}
    return f"{len(runs)} runs of {' and '.join(sorted(filter(None, datasets))) or 'masks'}"


def breakable(text: str) -> "Markup":
    """Return a name that may be broken after its underscores, where lines are short."""
    from markupsafe import Markup, escape

    return escape(text).replace("_", Markup("_<wbr>"))


def check_output(path: Path) -> None:
    """Refuse to write where something else than a report lies.

    Raises:
        ConfigError: it is a folder, or another file, or its folder is missing.
        MachineError: its folder cannot be written.
    """
    if path.is_dir():
        raise ConfigError(f"--output {path} is a folder.", fix=f"{path / 'report.html'}")
    check_writable(path.parent, f"--output {path}")
    if not path.parent.is_dir():
        raise ConfigError(f"--output {path}: there is no folder {path.parent}.", fix="make it.")
    if path.exists():
        with path.open("rb") as file:
            head = file.read(HEAD)
        if not head.startswith(BEGINNING) or GENERATOR.encode() not in head:
            raise ConfigError(
                f"--output {path} is a file that vit_cli report did not write.",
                fix="another name, or move it away.",
            )


def _own(name: str) -> str:
    return (files(ROOM) / FOLDER / name).read_text(encoding="utf-8").replace("\r\n", "\n")


def _digest(text: str) -> str:
    """Return what the page's policy knows a text by."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
