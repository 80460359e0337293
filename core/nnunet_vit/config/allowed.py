"""Say in plain words what a key of a pydantic model takes, from the model's JSON schema."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from pydantic import BaseModel

from nnunet_vit.config.problems import Parts, shown

Schema = dict[str, Any]
_BOUNDS = {
    "minimum": "of at least {}",
    "exclusiveMinimum": "greater than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
}


class Allowed:
    """What each key of a model takes.

    A model whose schema pydantic cannot write (a type of a plugin's own) has no words: the callers
    then use pydantic's message.
    """

    def __init__(self, model: type[BaseModel]) -> None:
        """Write the schema once; all questions are answered from it."""
        try:
            self._root: Schema = model.model_json_schema()
        except Exception:  # pydantic raises errors of several kinds here, all with one meaning
            self._root = {}

    def words(self, key: Parts) -> str:
        """Return what the key takes, like "an integer from 0 to 4, or 'all'"; or nothing."""
        return self._words(self._at(key))

    def keys(self, section: Parts) -> list[str]:
        """Return the keys of a section, in the model's order."""
        return list(self._at(section).get("properties", {}))

    def elsewhere(self, key: str) -> str:
        """Return the section's key of that name, like `train.seed`; or nothing."""
        sections = self.keys(())
        return next((f"{name}.{key}" for name in sections if key in self.keys((name,))), "")

    def _at(self, key: Parts) -> Schema:
        node = self._root
        for part in key:
            inner = (self._child(branch, part) for branch in self._branches(node))
            node = next((found for found in inner if found), {})
        return self._plain(node)

    def _child(self, node: Schema, part: str | int) -> Schema:
        if isinstance(part, int):
            items = node.get("prefixItems", [])
            child = items[part] if part < len(items) else node.get("items", {})
        else:
            child = node.get("properties", {}).get(part) or node.get("additionalProperties", {})
        return child if isinstance(child, dict) else {}

    def _plain(self, node: Schema) -> Schema:
        """Follow references: `{"$ref": "#/$defs/Name"}`, alone or in an allOf."""
        while "$ref" in node or len(node.get("allOf", [])) == 1:
            reference = node.get("$ref")
            if reference is None:
                node = node["allOf"][0]
            else:
                node = self._root.get("$defs", {}).get(reference.rpartition("/")[2], {})
        return node

    def _branches(self, node: Schema) -> Iterator[Schema]:
        node = self._plain(node)
        choices = node.get("anyOf") or node.get("oneOf")
        if not choices:
            yield node
        for choice in choices or ():
            yield from self._branches(choice)

    def _words(self, node: Schema) -> str:
        words = [self._branch_words(branch) for branch in self._branches(node)]
        if not all(words):
            return ""
        return _either(list(dict.fromkeys(words)))

    def _branch_words(self, node: Schema) -> str:
        if "const" in node or "enum" in node:
            return _either([shown(value) for value in node.get("enum", [node.get("const")])])
        kinds: dict[str, Callable[[Schema], str]] = {
            "integer": partial(_number, "an integer"),
            "number": partial(_number, "a number"),
            "string": _text,
            "boolean": lambda _: "true or false",
            "null": lambda _: "null",
            "array": self._list,
            "object": self._section,
        }
        describe = kinds.get(node.get("type", ""))
        return describe(node) if describe else ""

    def _list(self, node: Schema) -> str:
        count = _count(node.get("minItems"), node.get("maxItems"), "value")
        item = self._words(node.get("items", {}))
        each = ", each " if count else ", each value "
        return f"a list{count}{each if item else ''}{item}"

    def _section(self, node: Schema) -> str:
        keys = list(node.get("properties", {}))
        if not keys or node.get("additionalProperties"):
            return "a section with keys"
        return f"a section with the keys {', '.join(keys)}"


def _either(words: list[str]) -> str:
    if all(word.startswith("'") for word in words):
        return " or ".join(words)
    return ", or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _number(kind: str, node: Schema) -> str:
    node = {name: _plain_number(node[name]) for name in _BOUNDS if name in node}
    bounds = [_BOUNDS[name].format(bound) for name, bound in node.items()]
    if "minimum" in node and "maximum" in node:
        bounds = [f"from {node['minimum']} to {node['maximum']}"]
    return f"{kind} {' and '.join(bounds)}".strip()


def _plain_number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


def _text(node: Schema) -> str:
    pattern = f" that matches {shown(node['pattern'])}" if "pattern" in node else ""
    count = _count(node.get("minLength"), node.get("maxLength"), "character")
    return f"a string{count}{pattern}"


def _count(least: int | None, most: int | None, unit: str) -> str:
    if least is None and most is None:
        return ""
    if least == most:
        amount = str(least)
    elif most is None:
        amount = f"at least {least}"
    elif least is None:
        amount = f"at most {most}"
    else:
        amount = f"{least} to {most}"
    return f" of {amount} {unit}{'' if amount.endswith(' 1') or amount == '1' else 's'}"
