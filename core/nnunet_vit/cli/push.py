"""vit_cli push: a trained model into a repository of a model hub."""

from pathlib import Path
from typing import Annotated

import typer

Repository = Annotated[
    str, typer.Argument(metavar="OWNER/NAME", help="of the hub; made if it is not there")
]
Private = Annotated[bool, typer.Option("--private", help="a new repository is private")]
Revision = Annotated[
    str | None, typer.Option(help="the branch, made if it is not there; default: main")
]
AdaptersOnly = Annotated[
    bool,
    typer.Option("--adapters-only", help="what was trained alone, without pretrained weights"),
]


def push(
    model: Annotated[Path, typer.Argument(help="the model folder, as train prints it last")],
    repository: Repository,
    private: Private = False,
    revision: Revision = None,
    folds: Annotated[
        list[str] | None, typer.Option(help="0 1 …; default: every trained fold")
    ] = None,
    checkpoint: Annotated[str, typer.Option(help="final, best or latest")] = "final",
    adapters_only: AdaptersOnly = False,
    pretrained_weights: Annotated[
        Path | None, typer.Option(help="the backbone's pretrained weights, where they have moved")
    ] = None,
) -> None:
    """Write a trained model to a model hub, as the zip of export with its card."""
    from nnunet_vit.report.quiet import quiet_libraries

    with quiet_libraries() as progress:
        from nnunet_vit.sharing import push_model
        from nnunet_vit.sharing.export_source import Source
        from nnunet_vit.sharing.hub_repository import repository_of

        named = repository_of(repository, revision)
        source = Source(model, folds, checkpoint, pretrained_weights)
        commit = push_model.push(
            source,
            named,
            private=private or None,
            progress=progress,
            adapters_only=adapters_only,
        )
    needs = " --pretrained-weights FILE" * adapters_only
    pull = f"vit_cli pull {repository} --revision {commit}{needs}"
    print(f"{repository} at {commit}\nInstall with: {pull}")
