#!/usr/bin/env python3
"""Print constraints for pip, read from pyproject.toml: each package at its floor there.

    python .ci/constraints.py [EXTRA …] > constraints.txt

Every requirement `name>=floor` of the project and of the extras that are named becomes
`name==floor`; one without a floor is left to pip. Needs nothing but Python and its pip.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    from pip._vendor import tomli as tomllib  # type: ignore[no-redef]

FLOOR = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)\s*>=\s*(?P<floor>[0-9][0-9.]*)")


def floors(project: dict, extras: list[str]) -> Iterator[str]:
    """Yield a constraint for each requirement that has a floor.

    Raises:
        SystemExit: the project has no such extra.
    """
    optional = project.get("optional-dependencies", {})
    missing = [extra for extra in extras if extra not in optional]
    if missing:
        sys.exit(f"No extra {', '.join(missing)} in pyproject.toml; it has {', '.join(optional)}.")
    lists = [project["dependencies"], *(optional[extra] for extra in extras)]
    for requirement in (one for requirements in lists for one in requirements):
        if found := FLOOR.match(requirement):
            yield f"{found['name']}=={found['floor']}"


if __name__ == "__main__":
    pyproject = Path(__file__).resolve().parent.parent / "pyproject.toml"
    found = floors(tomllib.loads(pyproject.read_text("utf-8"))["project"], sys.argv[1:])
    print(*dict.fromkeys(found), sep="\n")  # a package may be in several lists
