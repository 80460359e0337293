"""What -i gives: a folder of images, a list of them, a table, or files one by one."""

from collections.abc import Sequence
from pathlib import Path

from nnunet_vit.data.faults import Fault, refuse
from nnunet_vit.errors import DataError
from nnunet_vit.inference.images.asked_cases import AskedCases
from nnunet_vit.inference.images.folder_cases import cases_of_folder
from nnunet_vit.inference.images.image_formats import Formats
from nnunet_vit.inference.images.list_cases import cases_of_files, cases_of_list
from nnunet_vit.inference.images.table_cases import cases_of_table
from nnunet_vit.inference.large.which_images import is_zarr

LISTS, TABLES = (".txt",), (".csv", ".tsv")


def asked_for(images: Sequence[Path], formats: Formats, channels: Sequence[str]) -> AskedCases:
    """Return the cases that -i asks for; the images are not looked at.

    Args:
        images: a folder, a list of images, a table of cases, or images.
        formats: which files the model takes.
        channels: of the model, by name.

    Raises:
        DataError: there is none, or names are wrong; names all problems.
    """
    first, *others = images
    if not others:
        if first.is_dir() and not is_zarr(first):
            return cases_of_folder(first, formats)
        if not first.exists():
            raise DataError(
                f"-i {first} is not there.",
                fix="-i with the folder of images, a list (.txt), a table (.csv), or images.",
            )
        if first.suffix.lower() in LISTS:
            return cases_of_list(first, formats)
        if first.suffix.lower() in TABLES:
            return cases_of_table(first, formats, channels)
    wrong = [
        file
        for file in images
        if (file.is_dir() and not is_zarr(file)) or file.suffix.lower() in LISTS + TABLES
    ]
    refuse("-i", [
        Fault(f"-i {file}: beside others, each is one image.", "give a folder, a list or a table "
              "alone.") for file in wrong
    ])  # fmt: skip
    return cases_of_files(images, formats)
