"""Read a run file's bytes, and its text up to YAML nodes; nothing is built from them here."""

import os
import stat
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnunet_vit.config.problems import escaped
from nnunet_vit.errors import ConfigError

if TYPE_CHECKING:
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
Node = Any  # of ruamel.yaml, which does not type its nodes


class NotYaml(ValueError):  # noqa: N818 - says what the text is; callers make a ConfigError of it
    """The text is not YAML, or is more than this reader takes; line and column count from 1."""

    def __init__(self, text: str, line: int | None = None, column: int | None = None) -> None:
        """Keep the place apart from the text: an override has no line."""
        super().__init__(text)
        self.text = text
        self.place = f"line {line}, column {column}" if line is not None else ""


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file.

    Raises:
        ConfigError: the file is missing, too large, not a file, not readable or not UTF-8.
    """
    content = _read_bytes(path)
    if content.startswith(_UTF16_MARKS):
        raise _unusable(path, "is UTF-16; allowed: UTF-8", fix="save it as UTF-8.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        byte = content[error.start]
        raise _unusable(
            path,
            f"is not UTF-8 text (byte 0x{byte:02x} at position {error.start})",
            fix="give a YAML file, saved as UTF-8.",
        ) from error


def root_node(text: str) -> Node:
    """Return the root node of a YAML 1.2 document; None where there is no content.

    Raises:
        NotYaml: a syntax error, or nesting that is too deep.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        _refuse_hazards(text)
        with warnings.catch_warnings():  # a reused anchor; every anchor is a problem later
            warnings.simplefilter("ignore")
            return YAML(typ="safe", pure=True).compose(text)
    except YAMLError as error:
        raise _syntax_fault(error, text) from error
    except (ArithmeticError, AssertionError, LookupError, ValueError) as error:
        if isinstance(error, NotYaml):
            raise
        # ruamel.yaml lets some of Python's own errors through, as for "\U00110000".
        raise NotYaml(f"not YAML: {error}") from error


def _read_bytes(path: Path) -> bytes:
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise _unusable(path, "is a folder; allowed: a YAML file")
        if not stat.S_ISREG(mode):  # opening a pipe could wait for ever
            raise _unusable(path, "is not a regular file; allowed: a YAML file")
        with open(path, "rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise _unusable(path, "no such file", fix="give the path of a run file.") from error
    except OSError as error:
        raise _unusable(path, f"cannot be read: {error.strerror}") from error
    except ValueError as error:  # a NUL character in the path
        raise _unusable(path, f"cannot be read: {error}") from error
    if len(content) > MAX_BYTES:
        raise _unusable(path, f"is larger than {MAX_BYTES // 1024} kB; a run file has a few lines")
    return content


def _refuse_hazards(text: str) -> None:
    """Walk the events, which is flat: composing is recursive and must meet no deep nesting."""
    from ruamel.yaml import YAML, events

    depth = 0
    for event in YAML(typ="safe", pure=True).parse(text):
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if isinstance(event, events.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise NotYaml(f"nested deeper than {MAX_DEPTH} levels", line, column)
        elif isinstance(event, events.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, events.DocumentStartEvent) and event.version not in (None, (1, 2)):
            raise NotYaml("a %YAML line with another version; allowed: YAML 1.2", line, column)


def _syntax_fault(error: "YAMLError", text: str) -> NotYaml:
    from ruamel.yaml.error import MarkedYAMLError
    from ruamel.yaml.reader import ReaderError

    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return NotYaml(f"not YAML: {_what(error)}", mark.line + 1, mark.column + 1)
    if isinstance(error, ReaderError):
        before = text[: error.position]
        column = len(before) - (before.rfind("\n") + 1) + 1
        what = f"the control character U+{error.character:04X}"
        return NotYaml(f"not YAML: {what}", before.count("\n") + 1, column)
    return NotYaml(f"not YAML: {escaped(str(error))}")


def _what(error: "MarkedYAMLError") -> str:
    problem = error.problem or "unreadable"
    if "'\\t'" in problem:
        return "a tab; allowed: spaces, where lines are indented"
    if "another document" in problem:
        return "a second document; allowed: one"
    start = error.context_mark
    if error.context is None or start is None:
        return str(problem)
    return f"{problem} ({error.context} from line {start.line + 1}, column {start.column + 1})"


def _unusable(path: Path, what: str, fix: str = "") -> ConfigError:
    return ConfigError(f"{escaped(str(path))}: {what}{'.' if fix else ''}", fix=fix)
