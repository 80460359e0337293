"""What nnU-Net prints about files, read back: which files, what is wrong with them, what to do."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

from nnunet_vit.errors import shortened

FILES = r"(?P<files>\[[^\]]*\]|\([^)]*\)|[^\n]+?)"  # one name, or a list's or tuple's repr


@dataclass(frozen=True)
class _Kind:
    """One of nnU-Net's messages.

    Attributes:
        pattern: of what is printed; `files` and the names in `what` are its groups.
        what: is wrong, after the files' names.
        fix: what to do.
    """

    pattern: str
    what: str
    fix: str


ERRORS = (
    _Kind(
        rf"Error: Unexpected labels found in file {FILES}\.\nExpected: (?P<expected>.*)\n"
        r"Found: (?P<found>\[[^\]]*\])",
        "values {unexpected}, which are no labels; dataset.json has {expected}",
        "save masks whose values are the labels of dataset.json (0/255 masks: divide by 255; "
        "palette PNGs: save the indices as grey).",
    ),
    _Kind(
        rf"Images contain NaN pixel values.*\nImages:\n{FILES}(?:\n|$)",
        "NaN pixels",
        "replace them with a value that makes sense in the image.",
    ),
    _Kind(
        rf"Segmentation contains NaN pixel values.*\nSegmentation:\n{FILES}(?:\n|$)",
        "NaN pixels in a mask",
        "replace them with a label.",
    ),
    _Kind(
        r"Error: Shape mismatch .*\nShape images: (?P<image>.*?)\. *\nShape seg: (?P<mask>.*?)\. *"
        rf"\nImage files: .*\. *\nSeg file: {FILES}(?:\n|$)",
        "the mask has the shape {mask}, its image {image}",
        "give the mask the size of its image.",
    ),
    _Kind(
        r"Error: Spacing mismatch .*\nSpacing images: (?P<image>.*?)\. *\nSpacing seg: "
        rf"(?P<mask>.*?)\. *\nImage files: .*\. *\nSeg file: {FILES}(?:\n|$)",
        "the mask has the spacing {mask}, its image {image}",
        "write the image's spacing into the mask.",
    ),
    _Kind(
        r"Error: Unexpected number of modalities.*\nExpected: (?P<wanted>\d+).*\nGot: (?P<got>\d+)"
        rf".*\nImages: {FILES}(?:\n|$)",
        "{got} channels; dataset.json names {wanted}",
        "give every case the same channels (RGBA: save it without transparency).",
    ),
    _Kind(
        r"ERROR! Not all input images have the same (?P<property>\w+)!\n(?:.*\n){1,4}?"
        rf"Image files:\n{FILES}(?:\n|$)",
        "the {property} differs between the channels",
        "save the channels of a case with one size and spacing.",
    ),
)
WARNINGS = (
    _Kind(
        r"Warning: (?P<property>Affine|Origin|Direction) mismatch [\s\S]*?"
        r"\nSeg file: (?P<files>[^\n]+?)\. *\n",
        "the mask's {property} is not its image's; are the two aligned?",
        "",
    ),
    _Kind(rf"WARNING no spacing file found for (?P<kind>images|segmentation) {FILES}\n",
          "no file with the spacing; 1 is assumed", ""),
)  # fmt: skip
PLAIN_WARNING = re.compile(r"^(?:WARNING|Warning)[:! ]+(.+)$", re.MULTILINE)
EXCEPTION = re.compile(r"^(?P<name>[A-Za-z_][\w.]*(?:Error|Exception)\b)(?:: (?P<text>.*))?$", re.M)


@dataclass(frozen=True)
class Finding:
    """What is wrong with some files.

    Attributes:
        what: is wrong.
        fix: what to do.
        files: their names.
    """

    what: str
    fix: str
    files: tuple[str, ...]

    def __str__(self) -> str:
        return f"{shortened(self.files)}: {self.what}"


def findings(text: str) -> list[Finding]:
    """Return what nnU-Net printed about files that it refuses, one entry per kind of fault."""
    return _grouped(text, ERRORS)


def warnings(text: str) -> list[str]:
    """Return nnU-Net's warnings, each once, with its files."""
    known = _grouped(text, WARNINGS)
    for kind in WARNINGS:
        text = re.sub(kind.pattern, "", text)
    plain = (" ".join(line.split()) for line in PLAIN_WARNING.findall(text))
    return [*map(str, known), *dict.fromkeys(plain)]


def last_exception(text: str, apart_from: tuple[str, ...] = ()) -> tuple[str, str] | None:
    """Return name and message of the last exception whose traceback was printed, if any was.

    Args:
        text: what was printed.
        apart_from: words of messages that do not count.
    """
    found = [
        (match["name"].rpartition(".")[2], (match["text"] or "").strip())
        for match in EXCEPTION.finditer(text)
        if not any(words in (match["text"] or "") for words in apart_from)
    ]
    return found[-1] if found and "Traceback (most recent call last)" in text else None


def _grouped(text: str, kinds: tuple[_Kind, ...]) -> list[Finding]:
    groups: dict[tuple[str, str], list[str]] = {}
    for kind in kinds:
        for match in re.finditer(kind.pattern, text):
            what = kind.what.format(**_details(match))
            groups.setdefault((what, kind.fix), []).append(_name(match["files"]))
    return [
        Finding(what, fix, tuple(sorted(dict.fromkeys(files))))
        for (what, fix), files in groups.items()
    ]


def _details(match: re.Match[str]) -> dict[str, str]:
    details = {name: (value or "").lower() for name, value in match.groupdict().items()}
    if "found" in details:
        expected = list(_numbers(details["expected"]))
        details["expected"] = ", ".join(expected)
        unexpected = [number for number in _numbers(details["found"]) if number not in expected]
        details["unexpected"] = shortened(unexpected, most=5)
    return details


def _numbers(text: str) -> Iterator[str]:
    for number in re.findall(r"-?\d+(?:\.\d*)?", re.sub(r"np\.\w+\(", "", text)):
        yield str(float(number)).removesuffix(".0")


def _name(files: str) -> str:
    """Return the name of the first file."""
    first = re.search(r"['\"](.+?)['\"]", files)
    return PurePath(first[1] if first else files.strip().rstrip(".")).name
