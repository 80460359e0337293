"""vit_cli train: from a raw dataset to a validated model."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

EITHER = "--continue to go on, or --overwrite to delete the fold's result and start anew."


def train(
    dataset: Annotated[str | None, typer.Argument(help="id or name; else data.dataset")] = None,
    configuration: Annotated[str | None, typer.Argument(help="else data.configuration")] = None,
    fold: Annotated[str | None, typer.Argument(help="0 to 4 or all; else data.fold")] = None,
    config: Annotated[Path | None, typer.Option(help="the run file", show_default=False)] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda:1, mps; default: the best")] = None,
    resume: Annotated[
        bool, typer.Option("--continue", "--c", help="go on from the last checkpoint")
    ] = False,
    overwrite: Annotated[bool, typer.Option(help="start anew over an existing result")] = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="change a key: train.num_epochs=5")
    ] = None,
) -> None:
    """Train one fold of the run in the run file, planning and preprocessing where needed."""
    from nnunet_vit.config.load import load_run
    from nnunet_vit.errors import ConfigError
    from nnunet_vit.report.quiet import quiet_libraries

    if resume and overwrite:
        raise ConfigError("--continue and --overwrite exclude each other.", fix=EITHER)
    if config is None:
        raise ConfigError("No run file is given.", fix="vit_cli train --config run.yaml")
    if dataset is not None and dataset.isdecimal():
        dataset = str(int(dataset))  # nnU-Net's users write 004
    given = {"data.dataset": dataset, "data.configuration": configuration, "data.fold": fold}
    arguments = [f"{key}={value}" for key, value in given.items() if value is not None]
    run = load_run(config, [*arguments, *(set_ or [])])
    with quiet_libraries() as progress:
        from nnunet_vit.nnunet.training import train as train_run

        model = train_run(run, device, resume, overwrite, progress)
    per_class = ", ".join(f"{name} {dice:.3f}" for name, dice in model.per_class.items())
    print(
        f"Mean Dice {model.dice:.3f} ({per_class}) on {model.cases} validation cases of fold "
        f"{run.data.fold}."
    )
    print(
        f"Model: {model.folder}  Predict with: vit_cli predict -i IMAGES -o MASKS "
        f"--model {shlex.quote(str(model.folder))} --folds {run.data.fold}"
    )
