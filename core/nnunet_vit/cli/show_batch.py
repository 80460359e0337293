"""vit_cli show-batch: a picture of what a training feeds its network with."""

from pathlib import Path
from typing import Annotated

import typer

from nnunet_vit.cli.train import loaded, overrides_of


def show_batch(
    dataset: Annotated[str | None, typer.Argument(help="id or name; else data.dataset")] = None,
    configuration: Annotated[str | None, typer.Argument(help="else data.configuration")] = None,
    fold: Annotated[str | None, typer.Argument(help="0, 1, … or all; else data.fold")] = None,
    config: Annotated[Path | None, typer.Option(help="the run file", show_default=False)] = None,
    output: Annotated[Path, typer.Option("-o", help="the picture")] = Path("batch.png"),
    number: Annotated[int, typer.Option(min=1, max=64, help="how many patches")] = 4,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="change a key: train.augmentation=none")
    ] = None,
) -> None:
    """Draw the first training patches, before and after augmentation, with their masks."""
    from nnunet_vit.config.placing import placed
    from nnunet_vit.config.recipe import augmentation_text
    from nnunet_vit.report.quiet import quiet_libraries

    check_picture(output, "-o")
    overrides = [*overrides_of(dataset, configuration, fold), *(set_ or [])]
    run = loaded(config, overrides, "show-batch")
    with placed(config, overrides), quiet_libraries() as progress:
        from nnunet_vit.files.own_picture import write_picture
        from nnunet_vit.planning.open_keys import GivenRun
        from nnunet_vit.report.patch_rows import patches_picture
        from nnunet_vit.training.shown_batch import first_patches

        shown = first_patches(run, number, progress, GivenRun.of(config, overrides))
        write_picture(patches_picture(shown.patches, shown.legend), output)
    seed = "" if run.train.seed is not None else "; train.seed is null: another training has others"
    print(
        f"Augmentation: {augmentation_text(run.train.augmentation)}.\n"
        f"{len(shown.patches)} patches of fold {shown.fold}, seed {shown.seed}{seed}.\n"
        f"Picture: {output}"
    )


def check_picture(output: Path, option: str) -> None:
    """Refuse a picture's name that is none, or where none can be written.

    Raises:
        ConfigError: it is no PNG, a folder, another file, or in no folder.
        MachineError: it cannot be written.
    """
    from nnunet_vit.errors import ConfigError
    from nnunet_vit.files.own_picture import is_own_picture
    from nnunet_vit.files.writable import check_writable

    given = f"{option} {output}"
    if output.suffix.lower() != ".png":
        raise ConfigError(f"{given}: given {output.suffix or 'no ending'}; allowed: .png.")
    check_writable(output.parent, given)
    if not output.absolute().parent.is_dir():
        raise ConfigError(f"{given}: there is no folder {output.parent}.", fix="make it.")
    if output.is_dir():
        raise ConfigError(f"{given} is a folder.", fix="the name of a picture in it.")
    if output.exists() and not is_own_picture(output):
        raise ConfigError(
            f"{given} is a file that vit_cli did not write, or wrote without its mark.",
            fix="another name, or move it away.",
        )
