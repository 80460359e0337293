"""vit_cli train: from a raw dataset to validated models."""

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from nnunet_vit.config.models import ViTnnUNetConfig
    from nnunet_vit.report.progress import Progress
    from nnunet_vit.training.fold_preparation import Request

EITHER = "--continue to resume, or --overwrite to delete the fold's result and start from scratch."
SAME_DATA = (
    "a training resumes with the data that it began with; --overwrite in place of --continue to "
    "start it from scratch with other data."
)
Folds = Annotated[
    list[str] | None, typer.Option(help="0 1 2 3 4: several, and their validations together")
]
Device = Annotated[str | None, typer.Option(help="cpu, cuda:1, mps; default: the best")]
Jobs = Annotated[int | None, typer.Option(min=1, help="so many folds at the same time")]
Gpus = Annotated[
    str | None, typer.Option(help="0,1: folds at the same time, one on each of these GPUs")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="replace an existing result")]
Resume = Annotated[bool, typer.Option("--continue", "--c", help="resume from the last checkpoint")]
# flags are named, or typer adds a --no-… to each, and cuts off the names in the help
UpdateData = Annotated[
    bool, typer.Option("--update-data", help="preprocess new cases and add them to the splits")
]
PreprocessAgain = Annotated[
    bool,
    typer.Option(
        "--preprocess-again", help="plan and preprocess again, after the raw data have changed"
    ),
]
Probabilities = Annotated[
    bool,
    typer.Option(
        "--probabilities", help="the validation keeps them, for best's ensembles and temperature"
    ),
]
Changes = Annotated[
    list[str] | None, typer.Option("--set", help="change a key: train.num_epochs=5")
]


def train(
    dataset: Annotated[str | None, typer.Argument(help="id or name; else data.dataset")] = None,
    configuration: Annotated[str | None, typer.Argument(help="else data.configuration")] = None,
    fold: Annotated[str | None, typer.Argument(help="0, 1, … or all; else data.fold")] = None,
    config: Annotated[Path | None, typer.Option(help="the run file", show_default=False)] = None,
    folds: Folds = None,
    device: Device = None,
    jobs: Jobs = None,
    gpus: Gpus = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    update_data: UpdateData = False,
    preprocess_again: PreprocessAgain = False,
    probabilities: Probabilities = False,
    set_: Changes = None,
) -> None:
    """Train one fold of a run, or several; what the run file leaves open is planned first."""
    from nnunet_vit.config.placing import placed
    from nnunet_vit.report.quiet import quiet_libraries

    _check_flags(resume, overwrite, update_data, again=preprocess_again)
    words = [*overrides_of(dataset, configuration, _fold(fold, folds)), *(set_ or [])]
    run = loaded(config, words)
    _check_jobs(run, jobs, gpus, device=device)
    with placed(config, words), quiet_libraries() as progress:
        from nnunet_vit.data.preprocessing.refusals import Asked
        from nnunet_vit.planning.open_keys import GivenRun
        from nnunet_vit.training.fold_preparation import Request

        request = Request(device, resume, overwrite, Asked(update_data, preprocess_again),
                          probabilities=probabilities,
                          given=GivenRun.of(config, words))  # fmt: skip
        figures, folder = _trained(run, request, progress, jobs=jobs, gpus=gpus)
        progress.log(figures)
    print(f"Model: {folder}\nPredict with: {_predicting(folder, run)}")


def _trained(
    run: "ViTnnUNetConfig",
    request: "Request",
    progress: "Progress",
    *,
    jobs: int | None,
    gpus: str | None,
) -> tuple[str, Path]:
    """Train a fold or several; return the figures and the model's folder."""
    from nnunet_vit.training import cross_validation
    from nnunet_vit.training import run as one_fold

    if isinstance(run.data.fold, list):
        devices = _devices(jobs, gpus, request.device)
        several = cross_validation.cross_validate(run, request, progress, side_by_side=devices)
        return several.as_text(progress.width), several.folder
    one = one_fold.train(run, request, progress)
    return one.as_text(), one.folder


def _predicting(folder: Path, run: "ViTnnUNetConfig") -> str:
    """Return the command to print; a log would break it into lines, and it would be none."""
    folds = " ".join(map(str, run.data.folds))
    return f"vit_cli predict -i IMAGES -o MASKS --model {shlex.quote(str(folder))} --folds {folds}"


def loaded(config: Path | None, overrides: list[str], verb: str = "train") -> "ViTnnUNetConfig":
    """Return the run of the run file, or of the defaults, with overrides."""
    from nnunet_vit.config.load import load_run
    from nnunet_vit.errors import ConfigError

    run = load_run(config, overrides)
    if config is None and run.data.dataset is None:
        raise ConfigError(
            "Neither a dataset nor a run file is given.",
            fix=f"vit_cli {verb} 502, or --config run.yaml",
        )
    return run


def _fold(fold: str | None, folds: list[str] | None) -> str | None:
    """Return what data.fold becomes; one fold is the same however it is given."""
    from nnunet_vit.errors import ConfigError

    if not folds:
        return fold
    if fold is not None:
        raise ConfigError("FOLD and --folds exclude each other.", fix="leave one of them out.")
    return folds[0] if len(folds) == 1 else f"[{', '.join(folds)}]"


def _check_jobs(
    run: "ViTnnUNetConfig", jobs: int | None, gpus: str | None, *, device: str | None
) -> None:
    from nnunet_vit.errors import ConfigError

    if gpus is not None and device is not None:
        raise ConfigError("--gpus and --device exclude each other.", fix="--gpus 0,1 alone.")
    if gpus is not None and not re.fullmatch(r"\d+(,\d+)*", gpus):
        raise ConfigError(f"--gpus {gpus}: allowed: numbers with commas between, like 0,1.")
    if (jobs or gpus is not None) and not isinstance(run.data.fold, list):
        option = "--jobs" if jobs else "--gpus"
        raise ConfigError(
            f"{option} trains several folds at the same time; data.fold is {run.data.fold}.",
            fix="--folds 0 1 2 3 4; for one fold on a certain GPU: --device cuda:1.",
        )


def _devices(jobs: int | None, gpus: str | None, device: str | None) -> list[str]:
    """Return a device for each fold that is trained at the same time; none: one after another."""
    from nnunet_vit.modeling.runtime.devices import choose_device

    if gpus is not None:
        there = [choose_device(f"cuda:{number}") for number in gpus.split(",")]
        return [there[job % len(there)] for job in range(jobs or len(there))]
    return [choose_device(device)] * jobs if jobs and jobs > 1 else []


def overrides_of(dataset: str | None, configuration: str | None, fold: str | None) -> list[str]:
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
