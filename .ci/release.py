#!/usr/bin/env python3
"""Set one version in all distributions, build their wheels, and check them.

    python .ci/release.py 0.2.0 dist     # writes the version, builds into dist, checks
    python .ci/release.py --version      # prints the version that all have

pyproject.toml at the top says the version; those of plugins/ follow it. Needs the
extra `release`: build, twine and check-wheel-contents.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOUND = re.compile(r'^version = "([^"]+)"$', re.MULTILINE)
VALID = re.compile(r"\d+\.\d+\.\d+((a|b|rc)\d+)?")


def distributions() -> list[Path]:
    """Return the folders with a pyproject.toml that is released, the project's own first."""
    return [ROOT, *sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))]


def versions() -> dict[str, str]:
    """Return the version of each distribution by its folder."""
    found = {}
    for folder in distributions():
        text = (folder / "pyproject.toml").read_text(encoding="utf-8")
        found[folder.name] = FOUND.findall(text)[0]
    return found


def common_version() -> str:
    """Return the version that all distributions have.

    Raises:
        SystemExit: they differ.
    """
    own = set(versions().values())
    if len(own) > 1:
        raise SystemExit(f"The distributions have different versions: {versions()}.")
    return own.pop()


def write_version(version: str) -> None:
    """Write a version into every pyproject.toml.

    Raises:
        SystemExit: it is no version.
    """
    if not VALID.fullmatch(version):
        raise SystemExit(f"'{version}' is no version; allowed: 1.2.3, 1.2.3rc1.")
    for folder in distributions():
        file = folder / "pyproject.toml"
        text = file.read_text(encoding="utf-8")
        file.write_text(FOUND.sub(f'version = "{version}"', text, count=1), encoding="utf-8")


def build_and_check(out: Path) -> None:
    """Build a wheel and an sdist of each distribution, and check all of them."""
    for folder in distributions():
        subprocess.run([sys.executable, "-m", "build", "--outdir", out, folder], check=True)
    files = sorted(map(str, out.iterdir()))
    wheels = [file for file in files if file.endswith(".whl")]
    subprocess.run([sys.executable, "-m", "twine", "check", "--strict", *files], check=True)
    subprocess.run(["check-wheel-contents", *wheels], check=True)


def main(arguments: list[str]) -> None:
    """Print the version, or set it, build and check."""
    if arguments == ["--version"]:
        print(common_version())
    elif len(arguments) == 2:
        write_version(arguments[0])
        build_and_check(Path(arguments[1]))
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
