"""Whether a model's plans hold what prediction reads of them, and fit its dataset.json."""

import inspect
import math
from collections.abc import Iterator, Sequence

from nnunet_vit.files.json_file import JsonMapping, JsonObject
from nnunet_vit.inference.model_folder import ModelFolder

PARTS = ("data", "seg", "probabilities")  # that nnU-Net resamples, each by a function of its own
STATISTICS = ("mean", "std", "percentile_00_5", "percentile_99_5")  # that CT is normalized by
ORDERS = range(6)  # of splines
CALLED_WITH = ("data", "new_shape", "current_spacing", "new_spacing")


def prediction_faults(model: ModelFolder) -> Iterator[str]:
    """Yield what prediction would stumble over, each with its key in plans.json.

    Args:
        model: whose files are sound each for itself.
    """
    plans, configuration = model.plans, model.configuration
    if not isinstance(plans.get("label_manager", ""), str):
        yield f"label_manager is {plans['label_manager']!r}, needed: the name of a class"
    yield from _of_axes(plans)
    yield from _of_tiles(configuration)
    channels = len(model.description["channel_names"])
    yield from _of_channels(plans, configuration, channels)
    yield from _of_input(_arguments(configuration), channels)
    yield from _of_resampling(configuration)


def _of_axes(plans: JsonMapping) -> Iterator[str]:
    forward, backward = plans["transpose_forward"], plans["transpose_backward"]
    if sorted(forward) != [0, 1, 2]:
        yield f"transpose_forward is {forward}, needed: each of 0, 1, 2 once"
    elif backward != [forward.index(axis) for axis in range(3)]:
        yield f"transpose_backward is {backward}, which does not undo transpose_forward {forward}"


def _of_tiles(configuration: JsonMapping) -> Iterator[str]:
    tile, spacing = configuration["patch_size"], configuration["spacing"]
    built = _arguments(configuration).get("image_size")
    if tile != built:
        yield f"patch_size is {tile}, and the network is built for image_size {built}"
    if len(spacing) != len(tile):
        yield f"spacing is {spacing}, needed: as many numbers as patch_size {tile} has"


def _arguments(configuration: JsonMapping) -> JsonObject:
    """Return what the network is built with."""
    given = configuration["architecture"].get("arch_kwargs")
    return given if isinstance(given, dict) else {}


def _of_input(arguments: JsonMapping, channels: int) -> Iterator[str]:
    lengths = (1, 3) if channels == 1 else (channels,)  # grey ones are repeated for RGB's weights
    given = {key: arguments.get(key) for key in ("input_mean", "input_std")}
    for key, values in given.items():
        if not _are_numbers(values, lengths, above=0 if key == "input_std" else -math.inf):
            above = " above 0" * (key == "input_std")
            yield f"{key} is {values!r}, needed: a number{above} for each of {channels} channels"


def _are_numbers(values: object, lengths: Sequence[int], above: float) -> bool:
    if not isinstance(values, list | tuple) or len(values) not in lengths:
        return False
    return all(_is_number(value) and value > above for value in values)


def _of_channels(plans: JsonMapping, configuration: JsonMapping, channels: int) -> Iterator[str]:
    for key in ("normalization_schemes", "use_mask_for_norm"):
        if len(configuration[key]) != channels:
            yield (
                f"{key} is for {len(configuration[key])} channels; dataset.json has {channels} "
                "channel_names"
            )
    known = plans["foreground_intensity_properties_per_channel"]
    for number, scheme in enumerate(configuration["normalization_schemes"]):
        given, key = known.get(str(number)), f"foreground_intensity_properties_per_channel.{number}"
        if not isinstance(given, dict):
            yield f"{key} is {given!r}, needed: an object"
        elif scheme == "CTNormalization" and not _has_statistics(given):
            yield f"{key} lacks numbers that {scheme} needs: {', '.join(STATISTICS)}"


def _has_statistics(given: JsonMapping) -> bool:
    return all(_is_number(given.get(key)) for key in STATISTICS)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e30


def _of_resampling(configuration: JsonMapping) -> Iterator[str]:
    for part in PARTS:
        key = f"resampling_fn_{part}"
        name, given = configuration.get(key), configuration.get(f"{key}_kwargs")
        if not isinstance(name, str):
            yield f"{key} is {name!r}, needed: the name of a function"
        elif not isinstance(given, dict):
            yield f"{key}_kwargs is {given!r}, needed: an object"
        else:
            yield from (f"{key}_kwargs: {fault}" for fault in _of_arguments(name, given))


def _of_arguments(name: str, given: JsonObject) -> Iterator[str]:
    from nnunetv2.preprocessing.resampling.utils import recursive_find_resampling_fn_by_name

    try:
        function = recursive_find_resampling_fn_by_name(name)
        inspect.signature(function).bind(*CALLED_WITH, **given)
    except TypeError as error:
        yield str(error)
    for key in ("order", "order_z"):
        if key in given and (type(given[key]) is not int or given[key] not in ORDERS):
            yield f"{key} is {given[key]!r}, needed: 0 to {ORDERS[-1]}"
