"""The files of a Hugging Face snapshot: a folder with one file of weights, or with shards."""

import json
import re
from pathlib import Path

from nnunet_vit.errors import ModelError
from nnunet_vit.modeling.weights.files.unreadable import AGAIN, unreadable

WHOLE = ("model.safetensors", "pytorch_model.bin")
INDEX = ".index.json"
NUMBERED = re.compile(r".+-\d+-of-(?P<count>\d+)\.\w+")  # of a shard


def files_of_snapshot(folder: Path) -> list[Path]:
    """Return the files that together hold the weights of a snapshot folder.

    Raises:
        ModelError: there are none, or the index is damaged or names a file that is not there.
    """
    for name in WHOLE:
        if (folder / name).is_file():
            return [folder / name]
        if (folder / (name + INDEX)).is_file():
            return _shards(folder / (name + INDEX))
    raise ModelError(
        f"{folder} is no snapshot of weights: it holds neither {WHOLE[0]} nor {WHOLE[1]}, whole "
        f"or with {INDEX}.",
        fix="give the weights file itself, or the folder that config.json and the weights lie in.",
    )


def _shards(index: Path) -> list[Path]:
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        shards = [index.parent / Path(name).name for name in names]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise unreadable(index, "it is no index of shards", AGAIN) from error
    missing = [shard.name for shard in shards if not shard.is_file()]
    if missing or not shards:
        raise ModelError(
            f"{index.parent} is incomplete: {len(missing)} of {len(shards)} files of its index "
            f"are not there: {', '.join(missing[:3]) or 'none named'}.",
            fix="fetch the whole snapshot again.",
        )
    _refuse_unnamed(index, {shard.name for shard in shards})
    return shards


def _refuse_unnamed(index: Path, names: set[str]) -> None:
    """Refuse an index that leaves out shards: their numbers say how many there are.

    Raises:
        ModelError: with both counts.
    """
    numbered = [found for name in names if (found := NUMBERED.fullmatch(name))]
    count = max((int(found["count"]) for found in numbered), default=0)
    if len(numbered) < count:
        raise ModelError(
            f"{index} is incomplete: it names {len(numbered)} of the {count} files that "
            f"{numbered[0].string} is one of.",
            fix=f"fetch {index.name} again, or the whole snapshot.",
        )
