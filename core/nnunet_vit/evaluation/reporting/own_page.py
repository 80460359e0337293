"""A page of its own: one HTML file with its style, its script and its pictures inside."""

import base64
import hashlib
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.errors import ConfigError
from nnunet_vit.evaluation.reporting.environment import made_by
from nnunet_vit.files.writable import check_writable

if TYPE_CHECKING:
    from markupsafe import Markup

ROOM, FOLDER = "nnunet_vit.evaluation.reporting", "page_files"
BEGINNING = b"<!doctype html>"
HEAD = 4096  # bytes of a page that hold both


def generator(verb: str) -> str:
    """Return what a page of ours is known by.

    Args:
        verb: that writes it: report, check-data.
    """
    return f'<meta name="generator" content="nnunet-vit {verb}">'


def rendered(template: str, verb: str, **values: object) -> str:
    """Return a page of a template.

    What comes from names of files and classes is escaped, and the page's own policy runs no script
    and asks no address but what it was written with.

    Args:
        template: in `page_files`.
        verb: that writes it.
        values: what the template names, beside style, script, version and generator.
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
    text = environment.get_template(template).render(
        made_by=made_by(),
        generator=Markup(generator(verb)),
        style=Markup(style),
        style_hash=_digest(style),
        script=Markup(script),
        script_hash=_digest(script),
        **values,
    )
    # names of files may hold bytes that are no UTF-8
    return text.encode("utf-8", "backslashreplace").decode()


def breakable(text: str) -> "Markup":
    """Return a name that may be broken after its underscores, where lines are short."""
    from markupsafe import Markup, escape

    return escape(text).replace("_", Markup("_<wbr>"))


def check_output(path: Path, option: str, verb: str) -> None:
    """Refuse to write where something else than such a page lies.

    Args:
        path: of the page.
        option: that names it.
        verb: that writes it.

    Raises:
        ConfigError: it is a folder, or another file, or its folder is missing.
        MachineError: its folder cannot be written.
    """
    if path.is_dir():
        raise ConfigError(f"{option} {path} is a folder.", fix=f"{path / f'{verb}.html'}")
    check_writable(path.parent, f"{option} {path}")
    if not path.parent.is_dir():
        raise ConfigError(f"{option} {path}: there is no folder {path.parent}.", fix="make it.")
    if path.exists():
        with path.open("rb") as file:
            head = file.read(HEAD)
        if not head.startswith(BEGINNING) or generator(verb).encode() not in head:
            raise ConfigError(
                f"{option} {path} is a file that vit_cli {verb} did not write.",
                fix="another name, or move it away.",
            )


def _own(name: str) -> str:
    return (files(ROOM) / FOLDER / name).read_text(encoding="utf-8").replace("\r\n", "\n")


def _digest(text: str) -> str:
    """Return what the page's policy knows a text by."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
