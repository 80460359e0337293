"""vit_cli new-head: a package of its own for a new head."""

import shlex
from pathlib import Path
from typing import Annotated

import typer


def new_head(
    name: Annotated[str, typer.Argument(help="as run files will write it: my_head")],
    folder: Annotated[
        Path | None, typer.Option(help="a new one; default: nnunet-vit-NAME here")
    ] = None,
) -> None:
    """Write a whole working package for a new head: decoder, options, tests, README."""
    from nnunet_vit.scaffold.package import write_package

    target = write_package(name, folder)
    print(f"{target} holds the head '{name}'. Change nnunet_vit_{name}/decoder.py to yours.")
    print(f"Next: pip install -e {shlex.quote(str(target))} && vit_cli check-head {name}")
