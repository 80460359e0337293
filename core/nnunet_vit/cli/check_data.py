"""vit_cli check-data: everything that is wrong with a dataset, before a training."""

import json
from pathlib import Path
from typing import Annotated

import typer

Dataset = Annotated[str, typer.Argument(help="id, name, or the folder with dataset.json")]
Config = Annotated[Path | None, typer.Option(help="a run file whose paths count")]

Html = Annotated[
    Path | None, typer.Option(help="write a page: cases, classes, sizes, values, bad files")
]


def check_data(
    dataset: Dataset,
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
    html: Html = None,
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
        from nnunet_vit.quantities import bytes_text
        from nnunet_vit.report.progress import Progress

        is_folder = Path(dataset).is_dir()
        if html is not None:
            from nnunet_vit.evaluation.reporting.data_page import check_page, write_data_page

            check_page(html)
        paths = PathsConfig() if config is None else load_run(config).paths
        use_folders(paths, needed=() if is_folder else ("raw",))
        use_processors()
        shown = Progress() if as_json else progress
        checked = check_dataset(dataset, shown)
        shown.log(checked.as_text())
        for warning in checked.findings.warnings:
            shown.warn(sentence(warning))
        if html is not None:
            size = write_data_page(checked, html, dataset, progress=shown)
            shown.log(f"Page: {html} ({bytes_text(size)})")
    if as_json:
        print(json.dumps(checked.as_json(), indent=2))
    refuse_findings(checked.dataset, checked.findings)
    if not as_json:
        print("No errors" + (", see the warnings." if checked.findings.warnings else "."))
