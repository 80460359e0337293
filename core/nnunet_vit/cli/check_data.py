"""vit_cli check-data: everything that is wrong with a dataset, before a training."""

import json
from pathlib import Path
from typing import Annotated

import typer

Dataset = Annotated[str, typer.Argument(help="id, name, or the folder with dataset.json")]
Config = Annotated[Path | None, typer.Option(help="a run file whose paths count")]


def check_data(
    dataset: Dataset,
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
    config: Config = None,
) -> None:
    """Read every case once; list all bad files with their remedies, and what is doubtful."""
    from nnunet_vit.config.models import PathsConfig
    from nnunet_vit.report.quiet import quiet_libraries

    with quiet_libraries() as progress:
        from nnunet_vit.config.load import load_run
        from nnunet_vit.data.checking.check_dataset import check_dataset
        from nnunet_vit.data.checking.refusing import refuse_findings
        from nnunet_vit.data.faults import sentence
        from nnunet_vit.nnunet.folders import use_folders, use_processors
        from nnunet_vit.report.progress import Progress

        is_folder = Path(dataset).is_dir()
        paths = PathsConfig() if config is None else load_run(config).paths
        use_folders(paths, needed=() if is_folder else ("raw",))
        use_processors()
        checked = check_dataset(dataset, Progress() if as_json else progress)
        if not as_json:
            progress.log(checked.as_text())
            for warning in checked.findings.warnings:
                progress.warn(sentence(warning))
    if as_json:
        print(json.dumps(checked.as_json(), indent=2))
    refuse_findings(checked.dataset, checked.findings)
    if not as_json:
        print("No errors" + (", see the warnings." if checked.findings.warnings else "."))
