"""What has to be done before and after the network, as data: the file beside an ONNX file."""

from typing import TYPE_CHECKING

from nnunet_vit.data.channels import in_order
from nnunet_vit.errors import ModelError
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.inference.loaded_model import LoadedModel
from nnunet_vit.inference.prediction_options import STEP

if TYPE_CHECKING:
    from nnunetv2.utilities.label_handling.label_handling import LabelManager

EPSILON = 1e-8  # the least divisor of nnU-Net's normalizations
SIGMA = 1 / 8  # of a tile's edge: nnU-Net's gaussian
PEAK = 10.0  # of the gaussian
RESAMPLED = ("data", "probabilities")


def around_network(model: LoadedModel) -> JsonObject:
    """Return channels, preprocessing, tiles and outputs of a model.

    Raises:
        ModelError: a part is code of its own that no data describe.
    """
    _check_stock(model)
    return {
        "channels": _channels(model),
        "preprocessing": _preprocessing(model),
        "tiles": _tiles(model),
        "outputs": _outputs(model.labels, model.description),
    }


def _check_stock(model: LoadedModel) -> None:
    name = model.configuration.preprocessor_name
    if name != "DefaultPreprocessor":
        raise ModelError(
            f"The model's images are prepared by {name}, whose code cannot be described as data.",
            fix="export it with --to FILE.zip, which is used where this package is installed.",
        )


def _channels(model: LoadedModel) -> list[JsonObject]:
    plans, configuration = model.plans, model.configuration
    properties = plans.foreground_intensity_properties_per_channel
    names = in_order(model.description["channel_names"]).values()
    return [
        {
            "name": str(name),
            "normalization": normalization(
                scheme, properties.get(str(number), {}), configuration.use_mask_for_norm[number]
            ),
        }
        for number, (name, scheme) in enumerate(
            zip(names, configuration.normalization_schemes, strict=True)
        )
    ]


def normalization(scheme: str, properties: JsonObject, masked: bool) -> JsonObject:
    """Return how one channel is normalized.

    Args:
        scheme: nnU-Net's class.
        properties: of the training images' foreground in this channel.
        masked: whether the plans say to look at what is not zero alone.

    Raises:
        ModelError: it is no class of nnU-Net's own.
    """
    if scheme == "ZScoreNormalization":
        return {"scheme": "z_score", "nonzero_only": bool(masked), "least_std": EPSILON}
    if scheme == "CTNormalization":
        return {
            "scheme": "clip_and_scale",
            "lower": properties["percentile_00_5"],
            "upper": properties["percentile_99_5"],
            "mean": properties["mean"],
            "std": max(properties["std"], EPSILON),
        }
    if scheme == "RescaleTo01Normalization":
        return {"scheme": "rescale_to_0_1", "least_maximum": EPSILON}
    plain = {"RGBTo01Normalization": "divide_by_255", "NoNormalization": "none"}
    if scheme in plain:
        return {"scheme": plain[scheme]}
    raise ModelError(
        f"The model normalizes by {scheme}, whose code cannot be described as data.",
        fix="export it with --to FILE.zip, which is used where this package is installed.",
    )


def _preprocessing(model: LoadedModel) -> JsonObject:
    plans, own = model.plans, model.configuration.configuration
    return {
        "steps": ["transpose", "crop_to_nonzero", "normalize", "resample"],
        "file_ending": model.ending,
        "reader": plans.plans["image_reader_writer"],
        "transpose": list(plans.transpose_forward),
        "transpose_back": list(plans.transpose_backward),
        "spacing": [float(size) for size in model.configuration.spacing],
        "resample": {
            kind: {
                "function": own[f"resampling_fn_{kind}"],
                **{
                    key: value
                    for key, value in own[f"resampling_fn_{kind}_kwargs"].items()
                    if key != "is_seg"
                },
            }
            for kind in RESAMPLED
        },
    }


def _tiles(model: LoadedModel) -> JsonObject:
    return {
        "size": list(model.configuration.patch_size),
        "step": STEP,
        "gaussian": {"sigma": SIGMA, "peak": PEAK},
        "mirror_axes": list(model.mirroring_axes or ()),
        "sums": "float16",
    }


def _outputs(labels: "LabelManager", description: JsonObject) -> JsonObject:
    named = {name: _parts(value) for name, value in description["labels"].items()}
    ignored = named.pop("ignore", [None])[0]
    if labels.has_regions:
        regions = {name: parts for name, parts in named.items() if any(parts)}
        classes = [
            {"name": name, "labels": parts, "value": int(value)}
            for (name, parts), value in zip(
                regions.items(), labels.regions_class_order or (), strict=True
            )
        ]
    else:
        names = {parts[0]: name for name, parts in named.items()}
        classes = [{"name": names[value], "value": int(value)} for value in labels.all_labels]
    return {
        "activation": "sigmoid" if labels.has_regions else "softmax",
        "mask": "later_over_earlier" if labels.has_regions else "highest",
        "classes": classes,
        "ignore_label": ignored,
    }


def _parts(value: int | list[int]) -> list[int]:
    return [int(part) for part in (value if isinstance(value, list) else [value])]
