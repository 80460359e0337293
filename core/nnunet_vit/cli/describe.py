"""vit_cli describe: what a run's network is and costs, nothing trained."""

import json
from pathlib import Path
from typing import Annotated

import typer


def describe(
    run_file: Annotated[Path, typer.Argument(help="the run file")],
    dataset: Annotated[str | None, typer.Argument(help="id or name; else data.dataset")] = None,
    configuration: Annotated[str | None, typer.Argument(help="else data.configuration")] = None,
    device: Annotated[str, typer.Option(help="to train on: cuda, cuda:1, cpu or mps")] = "cuda",
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="change a key: train.num_epochs=5")
    ] = None,
) -> None:
    """Show a run's network by part, its operations, memory, input and weights; nothing is run."""
    from dataclasses import asdict

    from nnunet_vit.config.load import load_run
    from nnunet_vit.config.placing import placed
    from nnunet_vit.modeling.runtime.devices import device_kind
    from nnunet_vit.report.quiet import quiet_libraries

    kind = device_kind(device)
    if dataset is not None and dataset.isdecimal():
        dataset = str(int(dataset))  # nnU-Net's users write 004
    given = {"data.dataset": dataset, "data.configuration": configuration}
    arguments = [f"{key}={value}" for key, value in given.items() if value is not None]
    overrides = [*arguments, *(set_ or [])]
    run = load_run(run_file, overrides)
    with placed(run_file, overrides), quiet_libraries():
        from nnunet_vit.profiling.describe import describe as described

        found = described(run, kind)
    if as_json:
        print(json.dumps(asdict(found), indent=2))
        return
    from nnunet_vit.report.description import as_text

    print(as_text(str(run_file), run, found))
