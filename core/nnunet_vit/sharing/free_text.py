"""Texts that people wrote, without the paths of their machine."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

# where a path may begin: not in an address, which has :// before its path
_BEGIN = r"(?:(?<![\w.~}/\\:])|(?<=[A-Za-z]{2}:)(?!//|/\d)|(?<=file://))"
_HOME = r"~(?:[A-Za-z_][\w.-]*)?"  # of oneself, or of somebody by name
_SHARE = r"(?:smb|cifs|nfs|afp|sftp|ssh|scp)://"
_DRIVE = r"[A-Za-z]:[\\/]|\\\\"
# a folder's name may have blanks, as far as prose can be told from it
_PROSE = r"and|or|in|at|see|from|to|of|by|on|with|the|is|was|were|are|here|there"
_WORD = r"[^/\\\s'\",;:()]{1,255}"
_PLAIN = r"[^/\\\s'\"]{1,255}"  # the longest name of a file
_BLANKS = rf"[^/\\\s'\"]{{0,255}}[^/\\\s'\",;:()](?: (?!(?:{_PROSE})\b){_WORD}){{1,2}}"
_FOLDER = rf"(?:(?:{_PLAIN}|{_BLANKS})[\\/])"
_LAST = r"([^\\/\s'\"]*)"
ROOTED = re.compile(
    rf"(?<![\w.])(?:{_SHARE}|{_DRIVE}){_FOLDER}*{_LAST}"
    # no blanks before the second separator: "/anti GFP/" is no path
    rf"|{_BEGIN}(?:{_HOME}/{_FOLDER}*|/{_PLAIN}/{_FOLDER}*){_LAST}"
)
QUOTED = re.compile(rf"(['\"])(?:{_HOME}/|/|{_DRIVE})[^'\"\n]*[\\/]([^'\"\\/\n]+)[\\/]?\1")
WHOLE = re.compile(rf"(?:(?:{_HOME})?/|{_DRIVE})[^\n]*")
# a home, whose owner's name may have blanks
OWNER = re.compile(
    rf"({_BEGIN}/(?:home|Users)/|\b[A-Za-z]:[\\/]Users[\\/])"
    r"[^\\/'\"\n]+(?=[\\/])"
)
ROOTS = ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results")


def without_paths(text: str) -> str:
    """Return a text with the last name alone of each path in it."""
    if WHOLE.fullmatch(text):
        return re.split(r"[\\/]", text.rstrip("\\/"))[-1]
    for folder in _known_folders():  # with blanks, commas and all
        text = re.sub(rf"{_BEGIN}{re.escape(folder)}(/|(?!\w))", _shortened, text)
    text = OWNER.sub(r"\1user", QUOTED.sub(r"\1\2\1", text))
    return ROOTED.sub(lambda found: found[1] or found[2] or "", text)


def _shortened(found: "re.Match[str]") -> str:
    return "" if found[1] else Path(found[0]).name


def _known_folders() -> Iterator[str]:
    """Yield this machine's folders of data and those that they lie in, the deepest first."""
    named = [os.environ.get(name, "") for name in ROOTS]
    roots = [Path(name) for name in (*named, os.path.expanduser("~")) if name]
    places = {place for root in roots for place in (root, *root.parents)}
    usual = {place for place in places if place.is_absolute() and len(place.parts) > 2}
    yield from sorted(map(str, usual), key=len, reverse=True)
