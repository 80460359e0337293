"""A run file as plain Python data that remembers the lines, and what YAML alone finds wrong."""

import math
from dataclasses import dataclass, field
from pathlib import Path

from nnunet_vit.config.problems import Parts, Problem, cut, escaped, path_text, shown
from nnunet_vit.config.yaml_text import Node, NotYaml, read_text, root_node
from nnunet_vit.errors import ConfigError
from nnunet_vit.files.json_file import JsonObject

_YAML = "tag:yaml.org,2002:"
_UNREADABLE = object()
_KINDS = {"mapping": f"{_YAML}map", "sequence": f"{_YAML}seq"}
_WRITE_OUT = "allowed: the values themselves, written out"
_SECTIONS = "sections like model: and train:"
_BOOLEANS = {"true": True, "false": False}


@dataclass
class YamlSource:
    """The content of a YAML text: `str, int, float, bool, None, list, dict` and nothing else.

    Args:
        value: of the root; what could not be read is left out.
        problems: found by YAML alone, each with its line.
        unreadable: the keys that were left out.
        lines: of each key, counted from 1.
    """

    value: object = None
    problems: list[Problem] = field(default_factory=list)
    unreadable: list[Parts] = field(default_factory=list)
    lines: dict[Parts, int] = field(default_factory=dict)

    @property
    def data(self) -> JsonObject:
        """The root, which is a mapping in a run file."""
        return self.value if isinstance(self.value, dict) else {}

    def line(self, path_parts: Parts) -> int | None:
        """Return the line of a key, or of the nearest section around it; None: not in the file."""
        for length in range(len(path_parts), 0, -1):
            if path_parts[:length] in self.lines:
                return self.lines[path_parts[:length]]
        return None


def read_yaml(path: Path) -> YamlSource:
    """Read a YAML 1.2 file whose root is a mapping; its own problems are listed, not raised.

    Raises:
        ConfigError: there is no text to read, it is not YAML, or its root is not a mapping.
    """
    return yaml_of(read_text(path), escaped(str(path)))


def yaml_of(text: str, name: str) -> YamlSource:
    """Return what a text holds, as `read_yaml` does of a file's.

    Args:
        text: YAML.
        name: of its file, for messages.

    Raises:
        ConfigError: it is not YAML, or its root is not a mapping.
    """
    try:
        node = root_node(text)
    except NotYaml as error:
        place = f", {error.place}" if error.place else ""
        raise ConfigError(f"{name}{place}: {error.text}") from error
    if node is None or (node.id == "scalar" and not node.value):
        raise ConfigError(f"{name}: is empty; allowed: {_SECTIONS}")
    if node.id != "mapping":
        kind = "a list" if node.id == "sequence" else "a single value"
        raise ConfigError(f"{name}: holds {kind}; allowed: {_SECTIONS}")
    return _source(node, ())


def read_value(text: str, root: Parts) -> YamlSource:
    """Read one YAML 1.2 value, which is meant for the key `root`.

    Raises:
        NotYaml: the text is not a YAML value.
    """
    node = root_node(text)
    return YamlSource() if node is None else _source(node, root)


def _source(node: Node, root: Parts) -> YamlSource:
    source = YamlSource()
    value = _Reader(source).read(node, root)
    if value is not _UNREADABLE:
        source.value = value
    return source


class _Reader:
    """Turns nodes into data; anchors, tags and doubles become problems and are never followed."""

    def __init__(self, source: YamlSource) -> None:
        self._source = source
        self._seen: set[int] = set()

    def read(self, node: Node, path: Parts) -> object:
        value = self._read_kind(node, path) if self._is_own(node, path) else _UNREADABLE
        if value is _UNREADABLE:
            self._source.unreadable.append(path)
        return value

    def _read_kind(self, node: Node, path: Parts) -> object:
        if node.id == "scalar":
            return self._scalar(node, path)
        if node.tag != _KINDS[node.id]:
            return self._refuse(path, _tag_text(node))
        return self._mapping(node, path) if node.id == "mapping" else self._list(node, path)

    def _is_own(self, node: Node, path: Parts) -> bool:
        """Tell an alias from a value that stands here: aliases are the same node once more."""
        if id(node) in self._seen:
            self._refuse(path, f"given the alias {shown('*' + node.anchor)}; {_WRITE_OUT}")
            return False
        self._seen.add(id(node))
        if node.anchor is not None:
            self._refuse(path, f"given the anchor {shown('&' + node.anchor)}; {_WRITE_OUT}")
        return True

    def _mapping(self, node: Node, path: Parts) -> JsonObject:
        section: JsonObject = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not self._is_key(key_node, path, line):
                continue
            key = (*path, key_node.value)
            if key in self._source.lines:
                lines = f"lines {self._source.lines[key]} and {line}"
                self._refuse(key, f"given twice, in {lines}; allowed: once", line)
                continue
            self._source.lines[key] = line
            value = self.read(value_node, key)
            if value is not _UNREADABLE:
                section[key_node.value] = value
        return section

    def _is_key(self, node: Node, path: Parts, line: int) -> bool:
        if node.tag == f"{_YAML}merge":
            self._refuse(path, f"given the merge key '<<'; {_WRITE_OUT}", line)
        elif node.id != "scalar" or node.tag != f"{_YAML}str":
            given = cut(node.value) if node.id == "scalar" else f"a {node.id}"
            self._refuse(path, f"given the key {given}; allowed: keys that are words", line)
        else:
            return self._is_own(node, (*path, node.value))
        return False

    def _list(self, node: Node, path: Parts) -> object:
        values = []
        for index, item in enumerate(node.value):
            key = (*path, index)
            if id(item) not in self._seen:  # an alias carries the line of its anchor
                self._source.lines[key] = item.start_mark.line + 1
            values.append(self.read(item, key))
        return _UNREADABLE if any(value is _UNREADABLE for value in values) else values

    def _scalar(self, node: Node, path: Parts) -> object:
        tag = node.tag.removeprefix(_YAML)
        try:
            value = _plain_value(tag, node.value)
        except ValueError:
            wanted = "a decimal number without leading zeros, or a string in quotes"
            return self._refuse(path, f"given {cut(node.value)}; allowed: {wanted}")
        if value is _UNREADABLE:
            return self._refuse(path, _tag_text(node))
        if isinstance(value, float) and not math.isfinite(value):
            return self._refuse(path, f"given {cut(node.value)}; allowed: a finite number")
        return value

    def _refuse(self, path: Parts, text: str, line: int | None = None) -> object:
        line = self._source.line(path) if line is None else line
        self._source.problems.append(Problem(path_text(path), line, text))
        return _UNREADABLE


def _plain_value(tag: str, text: str) -> object:
    if tag == "str":
        return text
    if tag == "null":
        return None
    if tag == "bool":
        return _BOOLEANS.get(text.lower(), _UNREADABLE)
    if tag == "int":
        return int(text.replace("_", ""), 0)  # base 0 refuses 012, which YAML 1.1 read as ten
    if tag == "float":
        return float(text.lower().replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
    return _UNREADABLE


def _tag_text(node: Node) -> str:
    if node.tag == f"{_YAML}timestamp":
        return f"given {cut(node.value)}, a date to YAML; allowed: a string in quotes"
    if node.tag in (f"{_YAML}value", f"{_YAML}merge"):
        return f"given {node.value}; allowed: a string in quotes"
    tag = node.tag.replace(_YAML, "!!")
    return f"given the tag {cut(tag)}; allowed: plain values without tags"
