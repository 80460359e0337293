"""Keys that are names of things with options: `focal: 2`, `focal: {weight: 2, gamma: 3}`."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from nnunet_vit.config.problems import Parts, shown
from nnunet_vit.config.validation import problem_texts

Options = TypeVar("Options", bound=BaseModel)


def read_options(
    model: type[Options], given: object, number: str
) -> tuple[Options | None, dict[Parts, str]]:
    """Return the validated options, or None with what is wrong by key.

    Args:
        model: of the options.
        given: in the run file: a section, or a number alone.
        number: the key that a number alone is the value of.
    """
    alone = isinstance(given, int | float) and not isinstance(given, bool)
    section = {number: given} if alone else given
    if not isinstance(section, dict):
        keys = ", ".join(model.model_fields)
        return None, {
            (): f"given {shown(given)}; allowed: a number, its {number}, or a section with the "
            f"keys {keys}"
        }
    try:
        # as JSON: a strict model then takes a list for a tuple and a word for an enum
        return model.model_validate_json(to_json(section, fallback=repr)), {}
    except ValidationError as error:
        texts = problem_texts(error, model, section)
        return None, {() if alone else key: text for key, text in texts.items()}
