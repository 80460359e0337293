"""vit_cli export: a trained model for other programs."""

from pathlib import Path
from typing import Annotated

import typer

Run = Annotated[Path, typer.Argument(help="the model folder, as train prints it last")]
Onnx = Annotated[
    Path | None, typer.Option("--onnx", help="FILE.onnx: the network; FILE.json: all around it")
]
Folds = Annotated[
    list[str] | None, typer.Option(help="0 1 …; default: every trained fold, averaged")
]
Checkpoint = Annotated[str, typer.Option(help="final, best or latest")]
Opset = Annotated[int | None, typer.Option(help="version of ONNX's operators; default: 18")]
Pretrained = Annotated[
    Path | None, typer.Option(help="the backbone's pretrained weights, where they have moved")
]


def export(
    run: Run,
    onnx: Onnx = None,
    folds: Folds = None,
    checkpoint: Checkpoint = "final",
    opset: Opset = None,
    pretrained_weights: Pretrained = None,
) -> None:
    """Write a trained model for other programs."""
    from nnunet_vit.errors import ConfigError
    from nnunet_vit.report.quiet import quiet_libraries

    if onnx is None:
        raise ConfigError("export needs --onnx FILE.onnx.")
    with quiet_libraries() as progress:
        from nnunet_vit.sharing.onnx.export_onnx import export_onnx
        from nnunet_vit.sharing.opened_model import Wanted

        wanted = Wanted(run, folds, checkpoint, pretrained_weights)
        said = export_onnx(wanted, onnx, opset=opset, progress=progress)
    print(said)
