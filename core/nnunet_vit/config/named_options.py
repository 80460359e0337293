"""Keys that are names of things with options: `focal: 2`, `focal: {weight: 2, gamma: 3}`."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from nnunet_vit.config.problems import Parts, shown
from nnunet_vit.config.validation import problem_texts

Options = TypeVar("Options", bound=BaseModel)
AMOUNTS = ("weight", "strength", "probability")  # with 0 of one a thing would do nothing


def read_options(
    model: type[Options], given: object, number: str, *, name: str
) -> tuple[Options | None, dict[Parts, str]]:
    """Return the validated options, or None with what is wrong by key.

    Args:
        model: of the options.
        given: in the run file: a section, or a number alone.
        number: the key that a number alone is the value of.
        name: of the thing, for the hint how to have none of it.
    """
    alone = isinstance(given, int | float) and not isinstance(given, bool)
    section = {number: given} if alone else given
    if not isinstance(section, dict):
        keys = ", ".join(model.model_fields)
        return None, {
            (): f"given {shown(given)}; allowed: a number, its {number}, or a section with the "
            f"keys {keys}{_hint(given, name)}"
        }
    try:
        # as JSON: a strict model then takes a list for a tuple and a word for an enum
        return model.model_validate_json(to_json(section, fallback=repr)), {}
    except ValidationError as error:
        texts = problem_texts(error, model, section)
        for amount in AMOUNTS:
            if (amount,) in texts:
                texts[amount,] += _hint(section.get(amount, 1), name)
        return None, {() if alone else key: text for key, text in texts.items()}


def _hint(amount: object, name: str) -> str:
    """Say how to have none of a thing, to whoever gives 0, false or null for it."""
    return f". Fix: leave {name} out" if amount in (0, None) else ""
