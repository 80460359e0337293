"""vit_cli list-models: the heads and backbones that are installed."""

import json
from typing import Annotated

import typer


def list_models(
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
    heads: Annotated[bool, typer.Option("--heads", help="heads alone")] = False,
    backbones: Annotated[bool, typer.Option("--backbones", help="backbones alone")] = False,
) -> None:
    """List the installed heads and backbones."""
    from nnunet_vit.report.listing import Row, backbone_rows, head_rows

    listing: dict[str, list[Row]] = {}
    if heads or not backbones:
        listing["heads"] = head_rows()
    if backbones or not heads:
        listing["backbones"] = backbone_rows()
    if as_json:
        print(json.dumps(listing, indent=2))
        return
    from nnunet_vit.report.listing import as_text

    print("\n\n".join(as_text(kind, rows) for kind, rows in listing.items()))
