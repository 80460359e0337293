"""Turn pydantic's errors into one plain text per key of the run file."""

from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from nnunet_vit.config.allowed import Allowed
from nnunet_vit.config.problems import Parts, shown
from nnunet_vit.errors import did_you_mean

_OWN_WORDS = ("value_error", "assertion_error")


def problem_texts(error: ValidationError, model: type[BaseModel], data: object) -> dict[Parts, str]:
    """Return for each faulty key what was given and what `model` allows.

    pydantic reports one error per branch of a union and adds the branch's name to the location;
    they are one problem here.
    """
    groups: dict[Parts, list[ErrorDetails]] = {}
    for details in error.errors(include_url=False):
        groups.setdefault(_key(details, data), []).append(details)
    allowed = Allowed(model)
    return {key: _text(key, details, allowed, data=data) for key, details in groups.items()}


def _key(details: ErrorDetails, data: object) -> Parts:
    """Return that part of the location which the data have: branch names are not in them."""
    key: Parts = ()
    for part in details["loc"]:
        if not _has(data, part):
            break
        data = data[part]  # type: ignore[index]
        key = (*key, part)
    lacking = details["loc"][len(key) :]
    return (*key, *lacking) if details["type"] == "missing" and len(lacking) == 1 else key


def _has(data: object, part: str | int) -> bool:
    if isinstance(data, dict):
        return part in data
    return isinstance(data, list) and isinstance(part, int) and part < len(data)


def _text(key: Parts, errors: list[ErrorDetails], allowed: Allowed, *, data: Any) -> str:  # noqa: ANN401
    first = errors[0]
    if first["type"] == "extra_forbidden" and first["loc"] == key:
        return _unknown_key(key, allowed)
    words = allowed.words(key) or " or ".join(dict.fromkeys(_message(error) for error in errors))
    if first["type"] == "missing" and first["loc"] == key:
        return f"missing; allowed: {words}"
    for part in key:
        data = data[part]
    told = next((error for error in errors if error["type"] in _OWN_WORDS), None)
    if told is not None:  # of the branch of a union that the value was meant for
        return f"given {shown(data)}; {_message(told)}"
    return f"given {shown(data)}; allowed: {words}"


def _unknown_key(key: Parts, allowed: Allowed) -> str:
    name, known = str(key[-1]), allowed.keys(key[:-1])
    elsewhere = allowed.elsewhere(name)
    nearest = f" Did you mean '{elsewhere}'?" if elsewhere else did_you_mean(name, known)
    return f"unknown key, given {shown(name)}.{nearest} Allowed: {', '.join(known) or 'none'}"


def _message(error: ErrorDetails) -> str:
    """Return pydantic's own message, without what every message begins with."""
    message = error["msg"]
    for start in ("Input should be ", "Value error, ", "Assertion failed, "):
        message = message.removeprefix(start)
    return message
