"""Put the values of `--set section.key=value` over those of the run file."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from nnunet_vit.config.problems import Parts, Problem, path_text, shown
from nnunet_vit.config.yaml_source import YamlSource, read_value
from nnunet_vit.config.yaml_text import NotYaml
from nnunet_vit.errors import PluginError
from nnunet_vit.files.json_file import JsonObject

_FORM = "--set section.key=value, as in --set train.num_epochs=5"


@dataclass
class RunSource:
    """What the user gave, in the file and on the command line, and where each key comes from."""

    data: JsonObject
    problems: list[Problem]
    unreadable: list[Parts]
    file: YamlSource
    overrides: dict[Parts, str] = field(default_factory=dict)

    def problem(self, parts: Parts, text: str, cause: PluginError | None = None) -> Problem:
        """Return a problem of that key, with its line or with the override that gave it."""
        override = self._override(parts)
        line = None if override else self.file.line(parts)
        return Problem(path_text(parts), line, text, override, cause)

    def _override(self, parts: Parts) -> str:
        """Return the override that gave the key, or that made the section, or nothing."""
        for length in range(len(parts), 0, -1):
            if parts[:length] in self.overrides:
                return self.overrides[parts[:length]]
        if not parts or parts in self.file.lines:
            return ""
        inside = (text for key, text in self.overrides.items() if key[: len(parts)] == parts)
        return next(inside, "")


def with_overrides(file: YamlSource, overrides: Sequence[str]) -> RunSource:
    """Return the file's content with the overrides applied; faulty ones are listed as problems."""
    source = RunSource(file.data, list(file.problems), list(file.unreadable), file)
    for override in overrides:
        problem = _apply(source, override)
        if problem:
            source.problems.append(Problem("", None, problem, override))
    return source


def _apply(source: RunSource, override: str) -> str:
    """Apply one override; return what is wrong with it, or an empty text."""
    name, equals, text = override.partition("=")
    parts = tuple(name.split("."))
    if not equals or not all(part.isidentifier() for part in parts):
        return f"malformed; allowed: {_FORM}"
    if parts in source.overrides:
        return f"{name} is given twice, before as {shown(source.overrides[parts])}; allowed: once"
    try:
        read = read_value(text, parts)
    except NotYaml as error:
        return f"{error.text}; allowed: a YAML value, a string with signs in quotes"
    source.overrides[parts] = override
    marked = [replace(problem, line=None, override=override) for problem in read.problems]
    source.problems.extend(marked)
    if parts in read.unreadable:
        source.unreadable.append(parts)
        return ""
    return _put(source.data, parts, read.value)


def _put(section: JsonObject, parts: tuple[str, ...], value: object) -> str:
    for depth, part in enumerate(parts[:-1], start=1):
        inner = section.setdefault(part, {})
        if not isinstance(inner, dict):
            return f"{path_text(parts[:depth])} is {shown(inner)}; allowed: a section with keys"
        section = inner
    section[parts[-1]] = value
    return ""
