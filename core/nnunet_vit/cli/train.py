"""vit_cli train: from a raw dataset to a validated model."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from nnunet_vit.training.run import TrainedModel

EITHER = "--continue to resume, or --overwrite to delete the fold's result and start from scratch."
SAME_DATA = (
    "a training resumes with the data that it began with; --overwrite in place of --continue to "
    "start it from scratch with other data."
)


def train(
    dataset: Annotated[str | None, typer.Argument(help="id or name; else data.dataset")] = None,
    configuration: Annotated[str | None, typer.Argument(help="else data.configuration")] = None,
    fold: Annotated[str | None, typer.Argument(help="0, 1, … or all; else data.fold")] = None,
    config: Annotated[Path | None, typer.Option(help="the run file", show_default=False)] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda:1, mps; default: the best")] = None,
    resume: Annotated[
        bool, typer.Option("--continue", "--c", help="resume from the last checkpoint")
    ] = False,
    overwrite: Annotated[bool, typer.Option(help="replace an existing result")] = False,
    update_data: Annotated[
        bool, typer.Option(help="preprocess new cases and add them to the splits")
    ] = False,
    preprocess_again: Annotated[
        bool, typer.Option(help="plan and preprocess again, after the raw data have changed")
    ] = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="change a key: train.num_epochs=5")
    ] = None,
) -> None:
    """Train one fold of the run in the run file, planning and preprocessing where needed."""
    from nnunet_vit.config.load import load_run
    from nnunet_vit.errors import ConfigError
    from nnunet_vit.report.quiet import quiet_libraries

    _check_flags(resume, overwrite, update_data, again=preprocess_again)
    if config is None:
        raise ConfigError("No run file is given.", fix="vit_cli train --config run.yaml")
    run = load_run(config, [*_overrides(dataset, configuration, fold), *(set_ or [])])
    with quiet_libraries() as progress:
        from nnunet_vit.data.preprocessing.refusals import Asked
        from nnunet_vit.training.run import train as train_run

        asked = Asked(update=update_data, again=preprocess_again)
        model = train_run(run, device, resume, overwrite, progress, asked)
    print(_figures(model))
    print(
        f"Model: {model.folder}\nPredict with: vit_cli predict -i IMAGES -o MASKS "
        f"--model {shlex.quote(str(model.folder))} --folds {run.data.fold}"
    )


def _overrides(dataset: str | None, configuration: str | None, fold: str | None) -> list[str]:
    """Return the three arguments as overrides of the run file's keys."""
    if dataset is not None and dataset.isdecimal():
        dataset = str(int(dataset))  # nnU-Net's users write 004
    given = {"data.dataset": dataset, "data.configuration": configuration, "data.fold": fold}
    return [f"{key}={value}" for key, value in given.items() if value is not None]


def _check_flags(resume: bool, overwrite: bool, update: bool, *, again: bool) -> None:
    from nnunet_vit.errors import ConfigError

    if resume and overwrite:
        raise ConfigError("--continue and --overwrite exclude each other.", fix=EITHER)
    if resume and (update or again):
        flag = "--update-data" if update else "--preprocess-again"
        raise ConfigError(f"--continue and {flag} exclude each other.", fix=SAME_DATA)


def _figures(model: "TrainedModel") -> str:
    per_class = ", ".join(f"{name} {dice:.3f}" for name, dice in model.per_class.items())
    cases = (
        f"{model.cases} training cases (fold all has no validation cases)"
        if model.fold == "all"
        else f"{model.cases} validation cases of fold {model.fold}"
    )
    return f"Mean Dice {model.dice:.3f} ({per_class}) on {cases}."
