"""vit_cli import-dataset: images and masks of any format to a dataset in nnU-Net's."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nnunet_vit.cli.show_batch import check_picture

if TYPE_CHECKING:
    from nnunet_vit.data.importing.import_plan import Wishes
    from nnunet_vit.data.importing.source_cases import SourceCases
    from nnunet_vit.report.progress import Progress

Dataset = Annotated[
    str, typer.Argument(help="DatasetXXX_Name in nnUNet_raw, or FOLDER/DatasetXXX_Name")
]
Images = Annotated[Path | None, typer.Option("--images", "-i", help="folder of training images")]
Masks = Annotated[
    list[str] | None,
    typer.Option(help="folder of masks; NAME=FOLDER … for a folder per class"),
]
TestImages = Annotated[Path | None, typer.Option(help="folder of images that no fold trains on")]
TestMasks = Annotated[list[str] | None, typer.Option(help="their masks, as --masks")]
TableFile = Annotated[
    Path | None,
    typer.Option("--table", help="CSV instead of folders: case, image, mask, group, split"),
]
Pattern = Annotated[
    str, typer.Option(help=r"the case in names of images, '(\d+)_'; default: the stem")
]
MaskPattern = Annotated[str, typer.Option(help="the same for masks; default: --pattern")]
Label = Annotated[
    list[str] | None, typer.Option(help="NAME=VALUE or NAME=#RRGGBB …: what masks hold")
]
Missing = Annotated[
    bool, typer.Option("--missing-is-empty", help="no mask of a class: nothing of it is there")
]
Group = Annotated[str, typer.Option(help=r"the patient in names of images, like 'P(\d+)_'")]
Channel = Annotated[list[str] | None, typer.Option(help="name of each channel, in order: CT")]
Pages = Annotated[str, typer.Option(help="what the pages of a TIFF are: slices or channels")]
Spacing = Annotated[str, typer.Option(help="of slices, Z,Y,X in mm: 2.5,0.7,0.7")]
Link = Annotated[
    bool, typer.Option("--link", help="link files that stay as they are, instead of copies")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="write nothing but a picture of three cases")
]
Preview = Annotated[Path, typer.Option(help="the picture of --dry-run")]


def import_dataset(
    dataset: Dataset,
    images: Images = None,
    masks: Masks = None,
    test_images: TestImages = None,
    test_masks: TestMasks = None,
    table: TableFile = None,
    pattern: Pattern = "",
    mask_pattern: MaskPattern = "",
    label: Label = None,
    missing_is_empty: Missing = False,
    group: Group = "",
    channel: Channel = None,
    pages: Pages = "",
    spacing: Spacing = "",
    link: Link = False,
    dry_run: DryRun = False,
    preview: Preview = Path("import_preview.png"),
) -> None:
    """Write images and masks of other formats as a dataset that vit_cli and nnU-Net train on."""
    from nnunet_vit.report.quiet import quiet_libraries

    if dry_run:
        _check_preview(preview, (images, test_images), (*(masks or ()), *(test_masks or ())))
    with quiet_libraries() as progress:
        from nnunet_vit.data.importing.import_dataset import place_of

        wishes = _wishes(label or (), group, channel or (), pages=pages, spacing=spacing)
        place = place_of(dataset)
        if table is not None:
            others = (images, masks, test_images, test_masks, pattern, mask_pattern)
            source = _of_table(table, missing_is_empty, any(others))
        else:
            source = _of_folders(
                images, masks or (), test_masks or (), test_images=test_images,
                patterns=(pattern, mask_pattern), missing_is_empty=missing_is_empty,
            )  # fmt: skip
        shown = preview if dry_run else None
        told = _imported(source, wishes, place, link=link, preview=shown, progress=progress)
    print(told)


def _check_preview(preview: Path, images: Sequence[Path | None], masks: Sequence[str]) -> None:
    """Refuse a picture that would lie among the sources, beside what `check_picture` refuses.

    Raises:
        ConfigError: as it says.
        MachineError: it cannot be written.
    """
    from nnunet_vit.data.importing.folder_matching import folders_said
    from nnunet_vit.errors import ConfigError

    check_picture(preview, "--preview")
    folders = [folder for folder in images if folder is not None]
    folders += [own for text in masks for own in folders_said([text], "--masks").values()]
    for folder in folders:
        if folder.resolve() in preview.resolve().parents:
            raise ConfigError(
                f"--preview {preview} would lie in {folder}, a folder of the sources.",
                fix="another folder.",
            )


def _imported(
    source: "SourceCases",
    wishes: "Wishes",
    place: Path,
    *,
    link: bool,
    preview: Path | None,
    progress: "Progress",
) -> str:
    """Write the dataset, or the picture of a dry run, and return the last words."""
    from nnunet_vit.data.importing.import_dataset import plan_text, write_dataset
    from nnunet_vit.data.importing.import_plan import plan_import
    from nnunet_vit.data.importing.import_preview import write_preview

    plan = plan_import(source, wishes, progress)
    progress.log(plan_text(plan))
    if preview is not None:
        shown = write_preview(plan, wishes.reading, preview)
        return f"Nothing was written but {preview}: {', '.join(shown)}."
    write_dataset(plan, wishes.reading, place, link=link, progress=progress)
    return f"Dataset: {place}"


def _wishes(
    labels: Sequence[str], group: str, channels: Sequence[str], *, pages: str, spacing: str
) -> "Wishes":
    from nnunet_vit.data.importing.class_options import parsed_labels
    from nnunet_vit.data.importing.import_plan import Wishes
    from nnunet_vit.data.importing.name_patterns import GROUP, checked_pattern
    from nnunet_vit.data.importing.reading.any_pixels import reading_of

    patient = checked_pattern(group, "--group", GROUP) if group else ""
    return Wishes(parsed_labels(labels), reading_of(pages, spacing), patient, tuple(channels))


def _of_table(table: Path, missing_is_empty: bool, folders: bool) -> "SourceCases":
    from nnunet_vit.data.importing.table_matching import cases_of_table
    from nnunet_vit.errors import ConfigError

    if folders:
        raise ConfigError(
            "--table names all files: --images, --masks, --test-images, --test-masks and patterns "
            "go without it.",
            fix="one of the two.",
        )
    return cases_of_table(table, missing_is_empty)


def _of_folders(
    images: Path | None,
    masks: Sequence[str],
    test_masks: Sequence[str],
    *,
    test_images: Path | None,
    patterns: tuple[str, str],
    missing_is_empty: bool,
) -> "SourceCases":
    from nnunet_vit.data.importing.folder_matching import Folders, cases_of_folders, folders_said
    from nnunet_vit.data.importing.name_patterns import CASE, CLASS, NUMBER, checked_pattern
    from nnunet_vit.errors import ConfigError

    if images is None or not masks:
        raise ConfigError(
            "import-dataset needs images and masks.",
            fix="--images FOLDER --masks FOLDER, or --table FILE.csv.",
        )
    if test_masks and test_images is None:
        raise ConfigError("--test-masks without --test-images.", fix="both.")
    own, of_masks = patterns
    of_masks = of_masks or own
    if own:
        own = checked_pattern(own, "--pattern", CASE, (NUMBER, CLASS))
    if of_masks:
        of_masks = checked_pattern(of_masks, "--mask-pattern", CASE, (CLASS, NUMBER))
    of_test = folders_said(test_masks, "--test-masks")
    return cases_of_folders(
        Folders(
            images, folders_said(masks, "--masks"), test_images, of_test, own, of_masks,
            missing_is_empty,
        )
    )  # fmt: skip
