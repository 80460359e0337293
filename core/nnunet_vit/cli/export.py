"""vit_cli export: a trained model in a form that travels, or for other programs."""

import shlex
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
Pretrained = Annotated[
    Path | None, typer.Option(help="the backbone's pretrained weights, where they have moved")
]


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
    pretrained_weights: Pretrained = None,
) -> None:
    """Write a trained model to install elsewhere, or for other programs."""
    from nnunet_vit.report.quiet import quiet_libraries

    _check_targets({"--to": to, "--nnunet": nnunet, "--onnx": onnx, "--bioimageio": bioimageio})
    _check_alone("--adapters-only", adapters_only, "--to", of=to)
    _check_alone("--author, --licence and --title", author or licence or title, "--bioimageio",
                 of=bioimageio)  # fmt: skip
    with quiet_libraries() as progress:
        from nnunet_vit.sharing.exporting import Source, export_folder_of, export_zip_of
        from nnunet_vit.sharing.opened_model import Wanted

        source = Source(model, folds, checkpoint, pretrained_weights)
        wanted = Wanted(model, folds, checkpoint, pretrained_weights)
        if to is not None:
            facts = export_zip_of(source, to, adapters_only=adapters_only, progress=progress)
            needs = " --pretrained-weights FILE" if adapters_only else ""
            after = f"{to}: {facts}\nInstall with: vit_cli install {shlex.quote(str(to))}{needs}"
        elif nnunet is not None:
            after = f"{nnunet}: {export_folder_of(source, nnunet, progress)}"
        elif onnx is not None:
            from nnunet_vit.sharing.onnx.export_onnx import export_onnx

            after = export_onnx(wanted, onnx, opset=opset, progress=progress)
        else:
            from nnunet_vit.sharing.bioimageio.export_bioimageio import export_bioimageio
            from nnunet_vit.sharing.bioimageio.record_facts import RecordFacts

            assert bioimageio is not None
            record = RecordFacts(author or (), licence, title)
            after = export_bioimageio(
                wanted, bioimageio, facts=record, opset=opset, progress=progress
            )
    print(after)


def _check_targets(targets: dict[str, Path | None]) -> None:
    from nnunet_vit.errors import ConfigError

    given = [option for option, path in targets.items() if path is not None]
    if len(given) != 1:
        raise ConfigError(
            f"export needs one target; given: {', '.join(given) or 'none'}.",
            fix="--to model.zip, --nnunet FOLDER, --onnx FILE.onnx or --bioimageio RECORD.zip.",
        )


def _check_alone(option: str, given: object, target: str, *, of: Path | None) -> None:
    from nnunet_vit.errors import ConfigError

    if given and of is None:
        raise ConfigError(f"{option}: for {target} alone.", fix=f"leave it out, or {target}.")
