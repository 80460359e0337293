"""The run file of a plan: the user's own with the planned values in it, or a new one."""

import io
from typing import TYPE_CHECKING

from nnunet_vit.planning.reasons import Planned

if TYPE_CHECKING:
    from ruamel.yaml.comments import CommentedMap, CommentedSeq


def planned_text(text: str, values: list[Planned]) -> str:
    """Return a run file with planned values, each with its reason behind it.

    The text's own comments, order and other values stay. Keys that it lacks come last in their
    section. A section between braces that gets values is written over several lines.

    Args:
        text: a valid run file.
        values: to put in.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap
    from ruamel.yaml.util import load_yaml_guess_indent

    _, indent, _ = load_yaml_guess_indent(text)
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096  # no value is folded over lines
    yaml.indent(mapping=indent or 2, sequence=(indent or 2) + 2, offset=2)
    content: CommentedMap = yaml.load(text)
    for value in values:
        name, _, key = value.key.rpartition(".")
        if name and content.get(name) is None:
            content[name] = CommentedMap()
        _put(content[name] if name else content, key, value)
    stream = io.StringIO()
    yaml.dump(content, stream)
    return stream.getvalue()


def _put(section: "CommentedMap", key: str, planned: Planned) -> None:
    """Set a value with its reason; a new key comes last, before lines that follow the section."""
    section.fa.set_block_style()
    is_new = key not in section
    following = _taken_from_end(section) if is_new and section else ""
    section[key] = _as_yaml(planned.value)
    comment = section.ca.items.get(key)
    if comment and comment[2] is not None:  # the user's, with lines that follow it
        own = comment[2].value.removeprefix("#").lstrip(" ")
        comment[2].value = f"# {planned.reason}; {own}"
        return
    section.yaml_add_eol_comment(planned.reason, key)
    if following:
        section.ca.items[key][2].value += f"\n{following}"


def _taken_from_end(node: "CommentedMap | CommentedSeq") -> str:
    """Take away the lines after the last value, blank ones and comments: they hang on to it."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    is_map = isinstance(node, CommentedMap)
    last = list(node)[-1] if is_map else len(node) - 1
    value = node[last]
    if isinstance(value, CommentedMap | CommentedSeq) and value and not value.fa.flow_style():
        return _taken_from_end(value)
    comment = node.ca.items.get(last)
    token = comment[2 if is_map else 0] if comment else None
    if token is None:
        return ""
    own, _, following = token.value.partition("\n")
    token.value = f"{own}\n"
    return str(following)


def _as_yaml(value: object) -> object:
    from ruamel.yaml.comments import CommentedSeq

    if not isinstance(value, list):
        return value
    sequence = CommentedSeq(value)
    sequence.fa.set_flow_style()
    return sequence
