"""Several copies of a network in one file: which is taken, and the sentence that says so."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from nnunet_vit.errors import ConfigError, ModelError, shortened
from nnunet_vit.modeling.weights.names.layouts import WRAPPED

WORDS = r"(?:ema|teacher|target|averaged?|avg|swa|shadow|polyak)\d*(?:_.*)?"
NETWORKS = r"(?:encoder|teacher|network|net|backbone|branch|trunk|tower|vit)"
AVERAGED = re.compile(  # a bare momentum may be a network or an optimizer's buffers
    rf"(?:.*_)?{WORDS}|(?:.*_)?momentum_(?:{NETWORKS}|model)(?:_.*)?|(?:.*_)?{NETWORKS}_momentum"
    r"|encoder_k|key_encoder|.+_encoder_m"
)
NOT_AVERAGED = re.compile(rf"(?:.*_)?(?:no|non|not|pre|before|without)_?{WORDS}")
OTHER_THAN_IMAGES = re.compile(
    r"(?:.*_)?(?:text|language|audio|speech|depth|thermal|imu|video|point)s?(?:_.*)?"
)
RAW = "current_model_state"  # Lightning's, where state_dict is the average
SWAPPED = ("ema_state_dict", "steps")  # mmengine's: it puts the average into state_dict
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
TRAINING = re.compile(  # state of the optimizer, which has the shapes of the weights
    r"(?:.*_)?(?:optim\w*|opt_state|exp_avg\w*|grad(?:s|ients?)?|adam\w*|momenta|momentum_buffers?"
    r"|sgd_momentum|mu|nu)(?:_.*)?"
)
NUMBERS = {2: "two", 3: "three", 4: "four"}
Prefix = tuple[str, ...]
T = TypeVar("T")


def average_level(prefix: Prefix, swapped: bool = False) -> int:
    """Return how surely a copy is the averaged one of several: 1 and above is, below 0 is not."""
    if swapped and "ema_state_dict" in prefix:
        return -1
    words = [CAMEL.sub("_", part).lower() for part in prefix]
    return sum(_level(word) for word in words)


def _level(word: str) -> int:
    if word == RAW or NOT_AVERAGED.fullmatch(word):
        return -1
    return int(AVERAGED.fullmatch(word) is not None)


def is_of_training(prefix: Prefix) -> bool:
    """Tell whether a part of a file is the optimizer's, or gradients: no weights."""
    return any(TRAINING.fullmatch(CAMEL.sub("_", part).lower()) for part in prefix)


def _rank(prefix: Prefix, swapped: bool) -> tuple[int, int]:
    words = [CAMEL.sub("_", part).lower() for part in prefix]
    other = sum(OTHER_THAN_IMAGES.fullmatch(word) is not None for word in words)
    return -other, average_level(prefix, swapped)


def preferred(copies: Sequence[tuple[Prefix, T]], swapped: bool, path: Path) -> tuple[T, str]:
    """Return the copy that is taken of several that fit alike, and the sentence about it.

    The averaged one is taken, and that of images before those of texts or sounds.

    Raises:
        ModelError: none is known to be the one that is meant.
    """
    ranks = {prefix: _rank(prefix, swapped) for prefix, _ in copies}
    best = max(ranks.values())
    first = [prefix for prefix in ranks if ranks[prefix] == best]
    if len(first) > 1:
        labels = [".".join(prefix) or "." for prefix in ranks]
        raise ModelError(
            f"{path} holds {len(labels)} networks that fit alike: {shortened(labels, 6)}.",
            fix=f"say which is meant, for example model.checkpoint_key: {labels[0]}.",
        )
    taken = dict(copies)[first[0]]
    number = NUMBERS.get(len(copies), str(len(copies)))
    averaged = any(rank[1] < best[1] for rank in ranks.values())
    kind = "the averaged one" if averaged else "the one of images"
    label = ".".join(first[0]) or "the one without a prefix"
    return taken, f"of {number} copies in the file, {label}, {kind}, is taken"


def chosen(prefixes: Sequence[Prefix], key: str, path: Path) -> set[Prefix]:
    """Return the parts of a file that a key of the run file means.

    Raises:
        ConfigError: there are none.
    """
    parts = tuple(part for part in key.split(".") if part and part not in WRAPPED)
    if not parts:
        found = {prefix for prefix in prefixes if not prefix}
    else:
        found = {prefix for prefix in prefixes if prefix[: len(parts)] == parts}
        found = found or {prefix for prefix in prefixes if _holds(prefix, parts)}
    if found:
        return found
    labels = [".".join(prefix) or "." for prefix in prefixes]
    raise ConfigError(
        f"model.checkpoint_key: given '{key}'; the networks in {path} are behind: "
        f"{shortened(labels, 6)}.",
        fix="give one of these, or leave the key out.",
    )


def _holds(prefix: Prefix, parts: Prefix) -> bool:
    steps = range(len(prefix) - len(parts) + 1)
    return any(prefix[step : step + len(parts)] == parts for step in steps)
