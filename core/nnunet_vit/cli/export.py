"""vit_cli export: a trained model in a form that travels, or for other programs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

Model = Annotated[Path, typer.Argument(help="the model folder, as train prints it last")]
To = Annotated[Path | None, typer.Option(help="write a zip for `vit_cli install`: model.zip")]
Nnunet = Annotated[
    Path | None, typer.Option(help="write a folder for nnUNetv2_predict_from_modelfolder")
]
Onnx = Annotated[
    Path | None, typer.Option(help="write FILE.onnx, the network, and FILE.json, what is around it")
]
Bioimageio = Annotated[
    Path | None, typer.Option(help="write RECORD.zip for Fiji, QuPath, deepImageJ: bioimage.io")
]
Folds = Annotated[list[str] | None, typer.Option(help="0 1 …; default: every trained fold")]
Checkpoint = Annotated[str, typer.Option(help="final, best or latest")]
AdaptersOnly = Annotated[
    bool,
    typer.Option(
        "--adapters-only", help="with --to: what was trained alone, without pretrained weights"
    ),
]
Opset = Annotated[int | None, typer.Option(help="version of ONNX's operators; default: 18")]
Author = Annotated[
    list[str] | None, typer.Option(help="of the record, once for each; for --bioimageio")
]
Licence = Annotated[
    str, typer.Option(help="of the model, as SPDX names it: CC-BY-4.0; for --bioimageio")
]
Title = Annotated[str, typer.Option(help="of the record; for --bioimageio")]
Example = Annotated[
    list[Path] | None,
    typer.Option(help="an image that anybody may see, for the record's test; default: a drawn one"),
]
Pretrained = Annotated[
    Path | None, typer.Option(help="the backbone's pretrained weights, where they have moved")
]

Targets = Mapping[str, Path | None]


def export(
    model: Model,
    to: To = None,
    nnunet: Nnunet = None,
    onnx: Onnx = None,
    bioimageio: Bioimageio = None,
    folds: Folds = None,
    checkpoint: Checkpoint = "final",
    adapters_only: AdaptersOnly = False,
    opset: Opset = None,
    author: Author = None,
    licence: Licence = "",
    title: Title = "",
    example: Example = None,
    pretrained_weights: Pretrained = None,
) -> None:
    """Write a trained model to install elsewhere, or for other programs."""
    from nnunet_vit.report.quiet import quiet_libraries

    targets = {"--to": to, "--nnunet": nnunet, "--onnx": onnx, "--bioimageio": bioimageio}
    about = author or licence or title or example
    _check(targets, trained=adapters_only, opset=opset, about=about)
    with quiet_libraries() as progress:
        from nnunet_vit.sharing.export_source import Source

        source = Source(model, folds, checkpoint, pretrained_weights).checked()
        if onnx is not None:
            from nnunet_vit.sharing.onnx.export_onnx import export_onnx

            told = export_onnx(source, onnx, opset=opset, progress=progress)
        elif bioimageio is not None:
            from nnunet_vit.sharing.bioimageio.export_bioimageio import export_bioimageio
            from nnunet_vit.sharing.bioimageio.record_facts import RecordFacts

            facts = RecordFacts(author or (), licence, title, example or ())
            told = export_bioimageio(source, bioimageio, progress, facts=facts, opset=opset)
        else:
            from nnunet_vit.sharing.exporting import export_for_installing

            told = export_for_installing(source, progress, to, nnunet=nnunet, trained=adapters_only)
    print(told)


def _check(targets: Targets, *, trained: bool, opset: int | None, about: object) -> None:
    from nnunet_vit.errors import ConfigError

    given = [option for option, path in targets.items() if path is not None]
    if len(given) != 1:
        raise ConfigError(
            f"export needs one target; given: {', '.join(given) or 'none'}.",
            fix="--to model.zip, --nnunet FOLDER, --onnx FILE.onnx or --bioimageio RECORD.zip.",
        )
    for option, wanted, suited in (
        ("--adapters-only", trained, ["--to"]),
        ("--opset", opset, ["--onnx", "--bioimageio"]),
        ("--author, --licence, --title and --example", about, ["--bioimageio"]),
    ):
        if wanted and given[0] not in suited:
            alone = " and ".join(suited)
            raise ConfigError(f"{option}: for {alone} alone.", fix=f"leave it out, or {alone}.")
