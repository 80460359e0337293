"""What is wrong with a run file: one problem per key, and all of them in one error."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from nnunet_vit.errors import ConfigError, PluginError, UnplacedError

Parts = tuple[str | int, ...]  # the way to a key: ("train", "patch_size", 0)
LONGEST_VALUE = 60
LONGEST_TEXT = 1000
MOST_SHOWN = 50


@dataclass(frozen=True)
class Problem:
    """One thing to fix.

    Args:
        path: of the key in the run file, like `model.decoder.dropout`; empty: the whole file.
        line: where the key stands, counted from 1; None: nowhere in the file.
        text: what was given and what is allowed.
        override: the text of the `--set` that brought the value, in place of a line.
        cause: the plugin's error behind it, for the exit code where it is the only problem.
    """

    path: str
    line: int | None
    text: str
    override: str = ""
    cause: PluginError | None = field(default=None, compare=False)

    @property
    def order(self) -> tuple[bool, int]:
        """Sorts by line, and what the command line brought comes last."""
        return bool(self.override), self.line or 0

    def named(self, *before: str) -> str:
        """Return the problem in one line, with the place before the text."""
        line = f"line {self.line}" if self.line is not None and not self.override else ""
        override = f"--set {cut(escaped(self.override))}" if self.override else ""
        place = ", ".join(part for part in (*before, line, override, self.path) if part)
        return f"{place}: {cut(escaped(self.text), LONGEST_TEXT)}"


def problems_error(source: str, problems: Iterable[Problem]) -> ConfigError:
    """Return the one error that names all problems of `source`, sorted by line."""
    ordered = sorted(problems, key=lambda problem: problem.order)
    source = escaped(source)
    if len(ordered) == 1:
        return ConfigError(ordered[0].named(source))
    lines = [f"  {problem.named()}" for problem in ordered[:MOST_SHOWN]]
    if len(ordered) > MOST_SHOWN:
        lines.append(f"  and {len(ordered) - MOST_SHOWN} more")
    return ConfigError("\n".join([f"{source}: {len(ordered)} problems", *lines]))


def unplaced_error(found: Sequence[tuple[str, str]]) -> UnplacedError:
    """Return an error of a run that names keys; whoever knows the run file adds the lines."""
    problems = [Problem(path, None, text) for path, text in found]
    return UnplacedError(str(problems_error("the run", problems)), found)


def path_text(parts: Parts) -> str:
    """Return the way to a key as errors write it: `train.patch_size[0]`."""
    text = ""
    for part in parts:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f"{'.' if text else ''}{cut(escaped(part))}"
    return text


def shown(value: object) -> str:
    """Return a value as the run file would write it, in one line and not too long."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return cut(repr(value))


def cut(text: str, longest: int = LONGEST_VALUE) -> str:
    """Return the text, shortened with an ellipsis where it is longer than that."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def escaped(text: str) -> str:
    """Return the text without control characters: a value must not colour or fake a line."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
