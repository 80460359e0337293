"""The home folder of whoever makes a page as ~: others read the page, and ~ still leads there."""

import re
import shlex
from collections.abc import Iterable
from pathlib import Path

# the keys whose values a run file may begin with ~
KEYS = ("raw", "preprocessed", "results", "checkpoint_path")


def without_home(text: str) -> str:
    """Return a text with ~ in place of the home folder, where paths begin with it."""
    return re.sub(rf"(?<![\w./~-]){_home()}(?![^/\\])", "~", text) if _home() else text


def command_text(words: Iterable[str]) -> str:
    """Return a command for a shell, which knows what an unquoted ~ is."""
    return " ".join(map(_word, words))


def run_file_text(text: str) -> str:
    """Return a run file with ~ in its paths; other values stay, ~ would be another place there."""
    if not _home():
        return text
    return re.sub(rf"(\b(?:{'|'.join(KEYS)}): *['\"]?){_home()}(?=[/\\])", r"\1~", text)


def _word(word: str) -> str:
    short = without_home(word)
    return short[:2] + shlex.quote(short[2:]) if short[:2] == "~/" else shlex.quote(word)


def _home() -> str:
    """Return the home folder as a pattern; '' where there is none of one's own."""
    try:
        home = Path.home()
    except RuntimeError:  # nobody knows who the user is
        return ""
    return re.escape(str(home)) if len(home.parts) > 1 else ""
