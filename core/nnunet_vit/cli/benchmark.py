"""vit_cli benchmark: a run's training steps, timed on its own data."""

import json
from pathlib import Path
from typing import Annotated

import typer

Seconds = Annotated[float, typer.Option(help="of timed steps; a tenth of it for each switch")]
Switches = Annotated[
    bool, typer.Option("--switches/--no-switches", help="try other settings as well")
]


def benchmark(
    run_file: Annotated[Path, typer.Argument(help="the run file")],
    seconds: Seconds = 60.0,
    device: Annotated[str | None, typer.Option(help="cpu, cuda:1, mps; default: the best")] = None,
    switches: Switches = True,
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="change a key: model.precision=float32")
    ] = None,
) -> None:
    """Time training steps on the run's own data; show where the time goes, and what would help."""
    from nnunet_vit.config.load import load_run
    from nnunet_vit.config.placing import placed
    from nnunet_vit.errors import ConfigError
    from nnunet_vit.report.quiet import quiet_libraries

    if not 0.1 <= seconds <= 3600:  # NaN among the others
        raise ConfigError(f"--seconds {seconds:g}: allowed: 0.1 to 3600.")
    overrides = set_ or []
    run = load_run(run_file, overrides)
    with placed(run_file, overrides), quiet_libraries() as shown:
        from nnunet_vit.planning.open_keys import GivenRun
        from nnunet_vit.report.progress import Progress
        from nnunet_vit.training.benchmarking.benchmark import Wanted
        from nnunet_vit.training.benchmarking.benchmark import benchmark as measured

        found = measured(
            run,
            GivenRun.of(run_file, overrides),
            Wanted(seconds, device, switches),
            progress=Progress() if as_json else shown,
        )
    if as_json:
        print(json.dumps(found.as_json(), indent=2))
        return
    from nnunet_vit.report.benchmark_text import as_text

    print(as_text(str(run_file), found))
