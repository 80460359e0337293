"""Write a whole working package of a new head: options, decoder, tests, README."""

import keyword
import re
from importlib.resources import files
from pathlib import Path

from nnunet_vit.errors import ConfigError
from nnunet_vit.registry import catalogue

NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
LONGEST = 40  # characters of a name
FILES = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    "@package@/__init__.py": "options.py",
    "@package@/decoder.py": "decoder.py",
    "tests/test_@name@.py": "test.py",
}


def package_files(name: str) -> dict[str, str]:
    """Return the files of a new head's package, path to text.

    Raises:
        ConfigError: no name for a head, or that of an installed one.
    """
    _check_name(name)
    template = files("nnunet_vit.scaffold") / "template"
    return {
        _filled(path, name): _filled((template / f"{source}.txt").read_text(encoding="utf-8"), name)
        for path, source in FILES.items()
    }


def write_package(name: str, folder: Path | None) -> Path:
    """Write a new head's package and return its folder.

    Args:
        name: of the head, as run files will write it.
        folder: a new one; None: nnunet-vit-<name> here.

    Raises:
        ConfigError: as package_files, or the folder exists.
    """
    texts = package_files(name)
    target = folder if folder is not None else Path(distribution_of(name))
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ConfigError(f"{target} exists already.", fix="another --folder, or remove it.")
    for path, text in texts.items():
        file = target / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return target


def distribution_of(name: str) -> str:
    """Return the name under which pip will know the head."""
    return f"nnunet-vit-{name.replace('_', '-')}"


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name) or keyword.iskeyword(name) or len(name) > LONGEST:
        raise ConfigError(
            f"'{name}' is no name for a head; allowed: lower-case letters, digits and single _ "
            f"between them, a letter first, at most {LONGEST} characters, no word of Python.",
            fix="a name like my_head.",
        )
    taken = catalogue.installed(catalogue.HEADS)
    if name in taken:
        raise ConfigError(
            f"A head '{name}' is installed: {taken[name][0].origin}.", fix="another name."
        )


def _filled(text: str, name: str) -> str:
    names = {
        "@name@": name,
        "@Class@": "".join(word.capitalize() for word in name.split("_")),
        "@distribution@": distribution_of(name),
        "@package@": f"nnunet_vit_{name}",
    }
    for mark, value in names.items():
        text = text.replace(mark, value)
    return text
