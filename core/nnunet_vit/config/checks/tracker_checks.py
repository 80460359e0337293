"""The trackers of a run: that they are there, their packages too, and that they take their keys."""

from importlib.util import find_spec

from pydantic import ValidationError
from pydantic_core import to_json

from nnunet_vit.config.draft import Draft
from nnunet_vit.config.problems import Parts, shown
from nnunet_vit.config.validation import problem_texts
from nnunet_vit.errors import PluginError, UserError
from nnunet_vit.trackers import named_tracker
from nnunet_vit.trackers.tracker import Tracker


def check_trackers(draft: Draft) -> None:
    """Validate `trackers`."""
    given_all = draft.source.data.get("trackers")
    if not draft.sound("trackers"):
        _check_names(draft, given_all)
        return
    for name, given in draft.config.options_of_trackers.items():
        key = ("trackers", name) if isinstance(given_all, dict) else ("trackers",)
        tracker = _named(draft, name, key)
        if tracker is None:
            continue
        if not _is_installed(tracker.package):
            draft.add_at(
                key,
                f"given '{name}', whose package is not installed; pip install "
                f"{tracker.distribution}",
            )
        try:
            tracker.options.model_validate_json(to_json(given, fallback=repr))
        except ValidationError as error:
            for inner, text in problem_texts(error, tracker.options, given).items():
                field = tracker.options.model_fields.get(str(inner[0])) if inner else None
                hidden = field is not None and not field.repr
                value = f"given {shown(given[str(inner[0])])};" if hidden else ""
                draft.add_at((*key, *inner), text.replace(value, "given one", 1) if value else text)


def _check_names(draft: Draft, given: object) -> None:
    """Name the unknown ones of a list or a section in which something else is wrong too."""
    for name in given if isinstance(given, list | dict) else ():
        if isinstance(name, str):
            _named(draft, name, ("trackers",))


def _named(draft: Draft, name: str, key: Parts) -> Tracker | None:
    """Return the tracker of that name, or note that nothing sound has it."""
    try:
        return named_tracker(name)
    except UserError as error:
        cause = error if isinstance(error, PluginError) else None
        draft.add_at(key, str(error).removeprefix("trackers: "), cause=cause)
        return None


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):  # a part of a package that is not there
        return False
