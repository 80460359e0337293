"""vit_cli check-data: everything that is wrong with a dataset, before a training."""

import json
from pathlib import Path
from typing import Annotated

import typer

Dataset = Annotated[str, typer.Argument(help="id, name, or the folder with dataset.json")]
Html = Annotated[
    Path | None, typer.Option(help="write a page: cases, classes, sizes, values, bad files")
]
Repair = Annotated[
    str | None,
    typer.Option(metavar="NEW", help="write a copy with what has one right answer repaired"),
]


def check_data(
    dataset: Dataset,
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
    html: Html = None,
    repair: Repair = None,
    config: Annotated[Path | None, typer.Option(help="a run file whose paths count")] = None,
) -> None:
    """Read every case once; list all bad files with their remedies, and what is doubtful."""
    from nnunet_vit.report.quiet import quiet_libraries

    with quiet_libraries() as progress:
        from nnunet_vit.evaluation.reporting.data_check import DataCheck, check_data_of
        from nnunet_vit.report.progress import Progress

        shown = Progress() if as_json else progress
        checked = check_data_of(DataCheck(dataset, html, repair, config), shown)
    if as_json:
        print(json.dumps(checked.as_json(), indent=2))
    checked.refuse()
    if not as_json:
        print("No errors" + ("; see the warnings." if checked.findings.warnings else "."))
