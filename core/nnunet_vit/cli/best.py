"""vit_cli best: the best run or ensemble of a dataset by cross-validation."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

Runs = Annotated[
    list[str] | None, typer.Argument(help="model folders to choose from; default: all")
]
Configuration = Annotated[
    str | None, typer.Option("--configuration", "-c", help="2d, 3d_fullres; default: any")
]
Folds = Annotated[list[int] | None, typer.Option(help="that a run must have; default: 0 1 2 3 4")]
Patients = Annotated[
    str | None,
    typer.Option(help="finds the patient in a case's name: '^(P[0-9]+)_'; default: data.groups"),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="file to write; default: best.json in the results"),
]


def best(
    dataset: Annotated[str, typer.Argument(help="id or name")],
    runs: Runs = None,
    configuration: Configuration = None,
    folds: Folds = None,
    ensembles: Annotated[bool, typer.Option(help="average pairs of runs too")] = True,
    patients: Patients = None,
    output: Output = None,
    config: Annotated[Path | None, typer.Option(help="a run file whose paths count")] = None,
) -> None:
    """Choose the best run or pair of runs, its post-processing and its temperature."""
    from nnunet_vit.report.quiet import quiet_libraries

    with quiet_libraries() as progress:
        from nnunet_vit.evaluation.ranking.choice_text import choice_text
        from nnunet_vit.inference.best_of_dataset import best_of_dataset

        choice, file = best_of_dataset(
            dataset,
            progress,
            config=config,
            configuration=configuration,
            folds=folds,
            wanted=runs or (),
            ensembles=ensembles,
            patients=patients,
            output=output,
        )
        text = choice_text(choice)
    # printed, not logged: commands in it are copied, and a line that is broken is none
    print(
        f"{text}\nFor nnUNetv2_apply_postprocessing: {choice.nnunets_file}\nWritten: {file}\n"
        f"Predict with: vit_cli predict -i IMAGES -o MASKS --ensemble {shlex.quote(str(file))}"
    )
