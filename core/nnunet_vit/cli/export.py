"""vit_cli export: a trained model for other programs."""

from pathlib import Path
from typing import Annotated

import typer

Model = Annotated[Path, typer.Argument(help="the model folder, as train prints it last")]
Onnx = Annotated[
    Path | None, typer.Option(help="write FILE.onnx, the network, and FILE.json, what is around it")
]
Bioimageio = Annotated[
    Path | None, typer.Option(help="write RECORD.zip for Fiji, QuPath, deepImageJ: bioimage.io")
]
Folds = Annotated[
    list[str] | None, typer.Option(help="0 1 …; default: every trained fold, averaged")
]
Checkpoint = Annotated[str, typer.Option(help="final, best or latest")]
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


def export(
    model: Model,
    onnx: Onnx = None,
    bioimageio: Bioimageio = None,
    folds: Folds = None,
    checkpoint: Checkpoint = "final",
    opset: Opset = None,
    author: Author = None,
    licence: Licence = "",
    title: Title = "",
    example: Example = None,
    pretrained_weights: Pretrained = None,
) -> None:
    """Write a trained model for other programs."""
    from nnunet_vit.errors import ConfigError
    from nnunet_vit.report.quiet import quiet_libraries

    if (onnx is None) == (bioimageio is None):
        raise ConfigError(
            "export needs one target.", fix="--onnx FILE.onnx, or --bioimageio RECORD.zip."
        )
    with quiet_libraries() as progress:
        from nnunet_vit.sharing.opened_model import Wanted

        wanted = Wanted(model, folds, checkpoint, pretrained_weights)
        if onnx is not None:
            from nnunet_vit.sharing.onnx.export_onnx import export_onnx

            told = export_onnx(wanted, onnx, opset=opset, progress=progress)
        else:
            from nnunet_vit.sharing.bioimageio.export_bioimageio import export_bioimageio
            from nnunet_vit.sharing.bioimageio.record_facts import RecordFacts

            assert bioimageio is not None
            facts = RecordFacts(author or (), licence, title, example or ())
            told = export_bioimageio(
                wanted, bioimageio, facts=facts, opset=opset, progress=progress
            )
    print(told)
