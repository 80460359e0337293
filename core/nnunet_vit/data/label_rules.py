"""What nnU-Net wants of the labels in dataset.json, and what else would go wrong later."""

from collections.abc import Iterator
from typing import SupportsInt

from nnunet_vit.data.faults import Fault
from nnunet_vit.files.json_file import JsonObject

BOTH = "in dataset.json and in the label files"


def are_regions(labels: JsonObject) -> bool:
    """Tell whether the labels are regions, which may overlap, rather than classes.

    As in nnU-Net, a list of one number is a class.
    """
    return any(isinstance(value, list | tuple) and len(value) > 1 for value in labels.values())


def numbers_of(value: object) -> tuple[int, ...]:
    """Return the numbers of a class or a region as nnU-Net takes them; nothing for what is none.

    nnU-Net takes strings and floats of integers too.
    """
    values = value if isinstance(value, list | tuple) else [value]
    numbers = []
    for one in values:
        if not isinstance(one, str | SupportsInt):
            return ()
        try:
            number = int(one)
        except (OverflowError, ValueError):
            return ()
        if isinstance(one, float) and number != one:
            return ()
        numbers.append(number)
    return tuple(numbers)


def label_faults(labels: JsonObject, order: object) -> list[Fault]:
    """Return what is wrong with labels and regions_class_order of a dataset.json.

    Args:
        labels: name to number, or to the numbers of a region.
        order: regions_class_order, None where there is none.
    """
    if "background" not in labels:
        return [Fault("labels has no 'background'.", 'labels: {"background": 0, …}')]
    labels = {n: v for n, v in labels.items() if not (n == "ignore" and v is None)}
    odd = {name: value for name, value in labels.items() if not numbers_of(value)}
    if odd:
        return [
            Fault(
                f"labels has {', '.join(f'{name!r}: {value!r}' for name, value in odd.items())}: "
                "not an integer.",
                "one integer per class, or a list of them per region.",
            )
        ]
    faults = [*_background_faults(labels), *_doubled(labels), *_ignore_faults(labels)]
    faults += _foreground_faults(labels)
    if not faults:
        faults += _gaps(labels)
    if not faults and are_regions(labels):
        faults += _region_faults(labels, order)
    return faults


def _foreground(labels: JsonObject) -> dict[str, tuple[int, ...]]:
    """Return the classes or regions without background and ignore."""
    return {
        name: numbers_of(value)
        for name, value in labels.items()
        if name != "ignore" and set(numbers_of(value)) != {0}
    }


def _values(labels: JsonObject) -> list[int]:
    found = {one for name in labels if name != "ignore" for one in numbers_of(labels[name])}
    return sorted(found)


def _background_faults(labels: JsonObject) -> Iterator[Fault]:
    background = labels["background"]
    if isinstance(background, list | tuple) or numbers_of(background) != (0,):
        yield Fault(
            f"labels has background as {background!r}; it must be 0.",
            "number the background 0 in dataset.json and in the label files.",
        )


def _foreground_faults(labels: JsonObject) -> Iterator[Fault]:
    if not _foreground({name: labels[name] for name in labels if name != "background"}):
        yield Fault(
            "labels has no class but the background: nothing to learn.",
            'labels: {"background": 0, "NAME": 1, …}',
        )


def _doubled(labels: JsonObject) -> Iterator[Fault]:
    names: dict[frozenset[int], list[str]] = {}
    for name, value in labels.items():
        names.setdefault(frozenset(numbers_of(value)), []).append(name)
    for numbers, same in names.items():
        if len(same) > 1:
            value = ", ".join(map(str, sorted(numbers)))
            yield Fault(
                f"labels has {' and '.join(same)} for the same pixels: each is {value}. (nnU-Net "
                "itself would plan with it and fail in training.)",
                "one name per number; a class that holds others is a region, a list of numbers.",
            )


def _ignore_faults(labels: JsonObject) -> Iterator[Fault]:
    if "ignore" not in labels:
        return
    wanted = max(_values(labels)) + 1
    if not isinstance(labels["ignore"], int) or labels["ignore"] != wanted:
        yield Fault(
            f"labels has ignore as {labels['ignore']!r}; it must be the highest label, a number.",
            _renumber(labels) if _has_gaps(labels) else f'"ignore": {wanted}, {BOTH}.',
        )


def _gaps(labels: JsonObject) -> Iterator[Fault]:
    if _has_gaps(labels):
        yield Fault(
            f"labels are {', '.join(map(str, _values(labels)))}; they must be 0, 1, 2, … without "
            "gaps.",
            _renumber(labels),
        )


def _has_gaps(labels: JsonObject) -> bool:
    values = _values(labels)
    return values != list(range(len(values)))


def _numbering(labels: JsonObject) -> dict[int, int]:
    """Return the number that each class could have; 0 is the background, and stays it."""
    classes = {n: v for n, v in labels.items() if n != "background"}
    found = sorted((one for one in _values(classes) if one), key=lambda one: (one < 0, one))
    return {old: number for number, old in enumerate(found, 1)}


def _renumber(labels: JsonObject) -> str:
    numbering = _numbering(labels)
    moved = [f"{old} becomes {new}" for old, new in numbering.items() if old != new]
    ignored = len(numbering) + 1
    if "ignore" in labels and numbers_of(labels["ignore"]) != (ignored,):
        moved.append(f"ignore becomes {ignored}")
    return f"{', '.join(moved)}, {BOTH}."


def _region_faults(labels: JsonObject, order: object) -> Iterator[Fault]:
    texts = [name for name, value in labels.items() if _has_text(value)]
    if texts:
        yield Fault(
            f"labels has texts for {', '.join(texts)}; regions need numbers.",
            "take the quotes away.",
        )
    regions = _foreground(labels)
    needed = f"one label per region, in the order {', '.join(regions)}"
    if not isinstance(order, list | tuple):
        yield Fault(f"regions_class_order is missing: {needed}.", '"regions_class_order": […]')
        return
    if len(order) != len(regions):
        yield Fault(
            f"regions_class_order has {len(order)} labels for {len(regions)} regions.", f"{needed}."
        )
        return
    outside = [
        f"{label!r} for {name} {list(numbers)}"
        for label, (name, numbers) in zip(order, regions.items(), strict=True)
        if isinstance(label, bool) or not isinstance(label, int) or label not in numbers
    ]
    if outside:
        yield Fault(
            f"regions_class_order has {', '.join(outside)}: the label that a region gets in a "
            "mask must be one of its own. (This rule is ours; nnU-Net would write wrong masks.)",
            f"{needed}.",
        )


def _has_text(value: object) -> bool:
    values = value if isinstance(value, list | tuple) else [value]
    return any(isinstance(one, str) for one in values)
