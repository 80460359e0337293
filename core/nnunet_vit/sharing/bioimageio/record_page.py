"""The documentation inside a record: what the model takes and gives, and what it leaves out."""

from nnunet_vit import __version__
from nnunet_vit.files.json_file import JsonObject

PAGE = """# {title}

{description}

## Input

Tiles of {height} x {width} pixels with the channels {channels}, in the intensities of
the training images ({ending}). Larger images are cut into tiles by the program that runs
the record.

nnU-Net crops an image to what is not 0, normalizes it as a whole, {resampled}averages over
mirrored images, and weights overlapping tiles by a gaussian. Little of this can be part of a
record, so masks of images that are larger than a tile differ from those of `vit_cli predict`,
most at the borders of tiles.

## Output

Probabilities ({activation}) of {classes}. {rule}

## Validation

Compare masks with references of images that the model has not seen:
`vit_cli evaluate -p MASKS -r REFERENCES`.

## Licences

Pretrained weights: {weights}. Training data: {data}. They may bind those who use the model.

Written by nnunet-vit {version}; folds {folds}, checkpoint {checkpoint}. In onnxruntime the
logits differ from PyTorch's by {difference:.1e} at most.
"""


def record_page(record: JsonObject, title: str, description: str) -> str:
    """Return the text of README.md.

    Args:
        record: the content of an ONNX file's JSON.
        title: of the record.
        description: likewise.
    """
    outputs, steps, licences = record["outputs"], record["preprocessing"], record["licences"]
    weights = licences["pretrained_weights"]
    known = weights["licence"] not in ("none", "")
    weights_text = f"{weights['source']}, {weights['licence']}" if known else weights["source"]
    height, width = record["tiles"]["size"]
    pictures = steps["reader"] == "NaturalImage2DIO"
    spacing = " x ".join(f"{size:g}" for size in steps["spacing"])
    return PAGE.format(
        title=title,
        description=description,
        height=height,
        width=width,
        channels=", ".join(channel["name"] for channel in record["channels"]),
        ending=steps["file_ending"],
        resampled="" if pictures else f"resamples it to {spacing} mm (Y x X), ",
        activation=outputs["activation"],
        classes=", ".join(f"{one['name']} ({one['value']} in masks)" for one in outputs["classes"]),
        rule=(
            "The mask has the likeliest class."
            if outputs["mask"] == "highest"
            else "Each region above 0.5 writes its value into the mask, later ones over earlier."
        ),
        weights=weights_text,
        data=licences["training_data"] or "not stated",
        version=__version__,
        folds=", ".join(map(str, record["model"]["folds"])),
        checkpoint=record["model"]["checkpoint"],
        difference=record["onnx"]["compared_with_pytorch"]["largest_difference"],
    )
