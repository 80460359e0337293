"""Values of options inside their bounds, alone and in pairs: what is allowed must work."""

import itertools
import random
from collections.abc import Iterator
from contextlib import contextmanager

from nnunet_vit.config.head_options import validate_options
from nnunet_vit.errors import UserError, message_of
from nnunet_vit.files.json_file import JsonMapping, JsonObject
from nnunet_vit.testing.building import build, images_of, logits_of
from nnunet_vit.testing.checks.options import HIDDEN_SIZE, Schema, plugin_of, schemas
from nnunet_vit.testing.contract_error import ContractError
from nnunet_vit.testing.small_vits import Case

LARGEST = 48  # a number above it makes a network too large to try
PAIRS = 16  # of all pairs, the same ones at each check
Options = JsonMapping


def check_lower_bounds(head: str) -> str:
    """Check that each number among the options gives a network at its least value."""
    least = smallest(head)
    for options in least:
        _check(head, options)
    return "; ".join(f"{name}: {value}" for one in least for name, value in one.items())


def check_between(head: str) -> str:
    """Check that options give a network at values between their bounds, and two by two."""
    plugin = plugin_of(head)
    small = (
        {"hidden_size": HIDDEN_SIZE}
        if validate_options(plugin, {"hidden_size": HIDDEN_SIZE})[0]
        else {}
    )
    tried = [
        options
        for options in (*singles(head), *pairs(head))
        if validate_options(plugin, {**small, **options})[0]
        is not None  # the head refuses it: well done
    ]
    for options in tried:
        _check(head, {**small, **options})
    return f"{len(tried)} tried"


def smallest(head: str) -> list[JsonObject]:
    """Return for each number among the options its least value."""
    return [
        {name: kind["minimum"]}
        for name, (kinds, _) in schemas(plugin_of(head)).items()
        for kind in kinds
        if "minimum" in kind
    ]


def singles(head: str) -> list[JsonObject]:
    """Return each option at a few values inside its bounds."""
    return [{name: value} for name, values in _values(head).items() for value in values]


def pairs(head: str) -> list[JsonObject]:
    """Return some of the pairs of two options' values, the same ones each time."""
    found = [
        {first: one, second: other}
        for (first, ones), (second, others) in itertools.combinations(_values(head).items(), 2)
        for one in ones
        for other in others
    ]
    return random.Random(0).sample(found, min(PAIRS, len(found)))


def _values(head: str) -> dict[str, list[object]]:
    return {
        name: [value for kind in kinds for value in _inside(kind)]
        for name, (kinds, _) in schemas(plugin_of(head)).items()
    }


def _inside(kind: Schema) -> list[object]:
    if kind.get("type") == "boolean":
        return [True, False]
    if "enum" in kind:
        return list(kind["enum"])
    if kind.get("type") == "number":
        low = kind.get("minimum", kind.get("exclusiveMinimum"))
        high = kind.get("maximum", kind.get("exclusiveMaximum"))
        return [] if low is None or high is None else [(low + high) / 2]
    if kind.get("type") != "integer":
        return []
    low = kind.get("minimum", kind.get("exclusiveMinimum", 0) + 1)
    high = min(kind.get("maximum", kind.get("exclusiveMaximum", LARGEST + 1) - 1), LARGEST)
    # one above the least, an odd number, and one that is a multiple of 4 and not of 8
    wanted = (low + 1, 9, 12, 2 * low + 1)
    return sorted({value for value in wanted if low < value <= high})


def _check(head: str, options: Options) -> None:
    case = Case("dinov3", options)
    size = case.pixels(2, 3)
    with _named(options):
        logits = logits_of(build(head, case, size), images_of(size))
        if tuple(logits.shape) != (2, 3, *size):
            raise ValueError(f"logits of shape {tuple(logits.shape)}; needed: {(2, 3, *size)}.")
        if not bool(logits.isfinite().all()):
            raise ValueError("the logits are not finite.")


@contextmanager
def _named(options: Options) -> Iterator[None]:
    """Say with what options a network could not be built or used."""
    given = ", ".join(f"{name}: {value}" for name, value in options.items())
    try:
        yield
    except Exception as error:
        own = isinstance(error, ContractError | UserError)
        text = error.problem if own else message_of(error)  # type: ignore[attr-defined]
        raise ContractError(
            f"{given} is allowed, and then: {text}",
            fix="other bounds, a validator that says what is allowed, or layers that follow.",
        ) from error
