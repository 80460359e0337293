"""vit_cli train: from a raw dataset to a validated model."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    pass

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
    folds: Annotated[
        list[str] | None, typer.Option(help="0 1 2 3 4: several, and their validations together")
    ] = None,
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
    given = _overrides(dataset, configuration, _fold(fold, folds))
    run = load_run(config, [*given, *(set_ or [])])
    with quiet_libraries() as progress:
        from nnunet_vit.data.preprocessing.refusals import Asked
        from nnunet_vit.training import cross_validation
        from nnunet_vit.training import run as one_fold

        asked = Asked(update=update_data, again=preprocess_again)
        several = isinstance(run.data.fold, list)
        leads = cross_validation.cross_validate if several else one_fold.train
        model = leads(run, device, resume, overwrite, progress, asked)
    print(model.as_text())
    print(
        f"Model: {model.folder}\nPredict with: vit_cli predict -i IMAGES -o MASKS "
        f"--model {shlex.quote(str(model.folder))} --folds {' '.join(map(str, run.data.folds))}"
    )


def _fold(fold: str | None, folds: list[str] | None) -> str | None:
    """Return what data.fold becomes; one fold is the same however it is given."""
    from nnunet_vit.errors import ConfigError

    if not folds:
        return fold
    if fold is not None:
        raise ConfigError("FOLD and --folds exclude each other.", fix="leave one of them out.")
    return folds[0] if len(folds) == 1 else f"[{', '.join(folds)}]"


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
