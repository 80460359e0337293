"""Write a whole working package of a new head: options, decoder, tests, README.

It is the head twolevel of examples/third_party_head under another name. The files in template/ are
those of the example, written by examples/write_template.py, because only core is installed.
"""

import keyword
import re
from importlib.resources import files
from pathlib import Path

from nnunet_vit.errors import ConfigError
from nnunet_vit.files.writable import check_writable
from nnunet_vit.registry import catalogue

NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
LONGEST = 40  # characters of a name
FILES = {  # path in the example: file in template/
    "pyproject.toml": "pyproject.toml.txt",
    "README.md": "README.md.txt",
    "nnunet_vit_twolevel/__init__.py": "options.py.txt",
    "nnunet_vit_twolevel/decoder.py": "decoder.py.txt",
    "tests/test_twolevel.py": "test.py.txt",
}


def package_files(name: str) -> dict[str, str]:
    """Return the files of a new head's package, path to text.

    Raises:
        ConfigError: no name for a head, or that of an installed one.
    """
    _check_name(name)
    template = files("nnunet_vit.scaffold") / "template"
    return {
        _renamed(path, name): _renamed((template / source).read_text(encoding="utf-8"), name)
        for path, source in FILES.items()
    }


def write_package(name: str, folder: Path | None) -> Path:
    """Write a new head's package and return its folder.

    Args:
        name: of the head, as run files will write it.
        folder: a new one; None: nnunet-vit-<name> here.

    Raises:
        ConfigError: as package_files, or the folder exists.
        MachineError: it cannot be written.
    """
    texts = package_files(name)
    target = folder if folder is not None else Path(distribution_of(name))
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ConfigError(f"{target} exists already.", fix="another --folder, or remove it.")
    check_writable(target, str(target))
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


def _renamed(text: str, name: str) -> str:
    names = {
        distribution_of("twolevel"): distribution_of(name),
        "Twolevel": "".join(word.capitalize() for word in name.split("_")),
        "twolevel": name,
    }
    # all at once: a new name may hold the old one
    return re.sub("|".join(names), lambda found: names[found[0]], text)
