"""vit_cli validate: every problem of a run file at once, nothing trained."""

from pathlib import Path
from typing import Annotated

import typer


def validate(
    run_file: Annotated[Path, typer.Argument(help="the run file")],
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="change a key: train.num_epochs=5")
    ] = None,
) -> None:
    """Check a run file: every problem at once, with its line; nothing is trained."""
    from nnunet_vit.config.load import load_run
    from nnunet_vit.config.notices import notices
    from nnunet_vit.config.recipe import augmentation_text, loss_text
    from nnunet_vit.tuning import method_of

    run = load_run(run_file, set_ or [])
    backbone = " ".join(part for part in (run.model.backbone, run.model.backbone_size) if part)
    head = run.model.head_name or run.model.model_path
    print(f"{run_file} is valid: head {head} on {backbone}, tuning {method_of(run).name}.")
    if not run.train.loss.is_nnunet:
        print(f"Loss: {loss_text(run.train.loss)}")
    if not run.train.augmentation.is_nnunet:
        print(f"Augmentation: {augmentation_text(run.train.augmentation)}")
    for notice in notices(run):
        print(f"Warning: {notice}")
