"""vit_cli plan: patch, batch and memory of a run, for its dataset and a GPU."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from nnunet_vit.planning.plan_run import Plan


Memory = Annotated[
    float | None, typer.Option(help="GB of the GPU that will train; default: this machine's")
]
Config = Annotated[
    Path | None, typer.Option(help="a run file, whose values are kept", show_default=False)
]
Output = Annotated[
    Path | None, typer.Option("-o", help="the run file to write", show_default=False)
]
Device = Annotated[
    str | None, typer.Option(help="to train on: cuda, cuda:1, mps, cpu; default: cuda")
]
Hours = Annotated[
    float | None, typer.Option(help="that the training may take: epochs and steps follow")
]
Probe = Annotated[
    bool | None,
    typer.Option(
        "--probe/--no-probe", help="try two steps here; default: where that takes no minutes",
        show_default=False,
    ),
]  # fmt: skip


def plan(
    dataset: Annotated[str | None, typer.Argument(help="id or name; else data.dataset")] = None,
    gpu_memory: Memory = None,
    config: Config = None,
    output: Output = None,
    device: Device = None,
    hours: Hours = None,
    probe: Probe = None,
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace the file of -o")] = False,
) -> None:
    """Choose patch size, batch size and what memory asks for; with -o write the run file."""
    from nnunet_vit.report.progress import Progress
    from nnunet_vit.report.quiet import quiet_libraries

    _check(gpu_memory, output, overwrite, hours=hours)
    with quiet_libraries() as shown:
        from nnunet_vit.config.placing import placed
        from nnunet_vit.planning.memory_limit import limit_of
        from nnunet_vit.planning.plan_run import dataset_of, plan_run
        from nnunet_vit.planning.planned_run_file import PlannedFile
        from nnunet_vit.training.probing.place import probing_of

        file = PlannedFile.of(config, dataset, output)
        given = file.given()
        progress = Progress() if as_json else shown
        with placed(config, given.overrides):
            its_dataset = dataset_of(given)
            limit = limit_of(gpu_memory, device)
            probing = probing_of(gpu_memory, device, wanted=probe, hours=hours)
            found = plan_run(given, its_dataset, limit, progress=progress, probing=probing)
        if output is not None:
            file.write(found, output)
    print(_as_json(found) if as_json else f"{_as_text(found)}\n\n{_next(output)}")


def _as_json(found: "Plan") -> str:
    from nnunet_vit.planning.as_json import as_json

    return json.dumps(as_json(found), indent=2)


def _as_text(found: "Plan") -> str:
    from nnunet_vit.planning.reasons import planned_values, why_batch, why_patch
    from nnunet_vit.report.plan_text import as_text

    reasons = {"patch": why_patch(found), "batch": why_batch(found)}
    return as_text(found, planned_values(found), reasons)


def _next(output: Path | None) -> str:
    if output is None:
        return "-o run.yaml writes a run file with these values."
    return f"Run file: {output}\nTrain with: vit_cli train --config {output}"


def _check(
    gpu_memory: float | None, output: Path | None, overwrite: bool, *, hours: float | None
) -> None:
    from nnunet_vit.errors import ConfigError
    from nnunet_vit.files.writable import check_writable

    if hours is not None and not 0.01 <= hours <= 10_000:
        raise ConfigError(f"--hours {hours:g}: allowed: 0.01 to 10000.")

    if gpu_memory is not None and not 0.1 <= gpu_memory <= 10_000:  # NaN among the others
        raise ConfigError(f"--gpu-memory {gpu_memory:g}: allowed: 0.1 to 10000, in GB.")
    if output is None:
        return
    if output.is_dir():
        raise ConfigError(f"-o {output} is a folder.", fix="the name of a run file in it.")
    if output.exists() and not overwrite:
        raise ConfigError(f"-o {output} is there already.", fix="--overwrite, or another name.")
    if not output.absolute().parent.is_dir():
        raise ConfigError(f"-o {output}: there is no folder {output.parent}.", fix="make it.")
    check_writable(output.parent, f"-o {output}")
