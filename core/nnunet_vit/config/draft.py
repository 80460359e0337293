"""A run file whose keys have each been validated, but not yet together."""

from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.config.overrides import RunSource
from nnunet_vit.config.problems import Parts, Problem
from nnunet_vit.config.validation import problem_texts
from nnunet_vit.errors import PluginError
from nnunet_vit.files.json_file import JsonObject


@dataclass
class Draft:
    """The run so far: defaults stand in for broken keys, so that the others can still be validated.

    Args:
        source: what the user gave.
        config: of the sound keys.
        folder: of the run file; relative paths start there.
        problems: all that were found.
        broken: the keys behind them.
    """

    source: RunSource
    config: ViTnnUNetConfig
    folder: Path
    problems: list[Problem] = field(default_factory=list)
    broken: list[Parts] = field(default_factory=list)

    def sound(self, *paths: str) -> bool:
        """Tell whether the values of these keys are the user's own and valid so far."""
        wanted = [tuple(path.split(".")) for path in paths]
        return not any(_overlap(broken, parts) for broken in self.broken for parts in wanted)

    def add(self, path: str, text: str, cause: PluginError | None = None) -> None:
        """Note a problem of a key; what depends on the key is not validated any more."""
        self.add_at(tuple(path.split(".")), text, cause)

    def add_at(self, parts: Parts, text: str, cause: PluginError | None = None) -> None:
        """Note a problem of a key that is given in parts."""
        self.problems.append(self.source.problem(parts, text, cause))
        self.broken.append(parts)

    def given_options(self) -> JsonObject:
        """Return `model.decoder` as the user gave it."""
        return _decoder_of(self.source.data) or {}


def draft_of(source: RunSource, folder: Path) -> Draft:
    """Validate every key by itself, all but those of model.decoder, which the head validates."""
    data = source.data
    if _decoder_of(data) is not None:
        data = {**data, "model": {**data["model"], "decoder": {}}}
    draft = Draft(source, ViTnnUNetConfig(), folder, [*source.problems], [*source.unreadable])
    try:
        draft.config = ViTnnUNetConfig.model_validate(data)
    except ValidationError as error:
        for key, text in problem_texts(error, ViTnnUNetConfig, data).items():
            draft.add_at(key, text)
        draft.config = ViTnnUNetConfig.model_validate(_without(data, draft.broken))
    return draft


def _decoder_of(data: JsonObject) -> JsonObject | None:
    model = data.get("model")
    decoder = model.get("decoder") if isinstance(model, dict) else None
    return decoder if isinstance(decoder, dict) else None


def _without(section: JsonObject, keys: list[Parts]) -> JsonObject:
    """Return the section without these keys; a broken item takes its whole list with it."""
    inner: dict[str | int, list[Parts]] = {}
    for key in keys:
        inner.setdefault(key[0], []).append(key[1:])
    kept = {}
    for name, value in section.items():
        broken = inner.get(name, [])
        if any(not key or isinstance(key[0], int) for key in broken):
            continue
        kept[name] = _without(value, broken) if isinstance(value, dict) else value
    return kept


def _overlap(one: Parts, other: Parts) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]
