"""What an installed distribution needs of others, compared with what is installed."""

from importlib.metadata import Distribution, PackageNotFoundError, version

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion


def unmet_requirements(distribution: Distribution) -> str:
    """Return one sentence for all requirements that the installed versions do not meet.

    pip checks them when it installs; a later update of another package may break them, and a
    folder on PYTHONPATH was never checked.
    """
    unmet = [text for line in distribution.requires or () if (text := _unmet(line))]
    return f"{distribution.metadata['Name']} needs {'; '.join(unmet)}." if unmet else ""


def _unmet(line: str) -> str:
    try:
        needed = Requirement(line)
    except InvalidRequirement:
        return f"{line!r}, which is no requirement"
    if needed.marker is not None and not needed.marker.evaluate({"extra": ""}):
        return ""
    wanted = f"{needed.name}{needed.specifier}"
    try:
        there = version(needed.name)
        met = needed.specifier.contains(there, prereleases=True)
    except PackageNotFoundError:
        # a clone of this package that has not been installed has no version
        return "" if needed.name == "nnunet-vit" else f"{wanted} (not installed)"
    except InvalidVersion:
        return ""
    return "" if met else f"{wanted} (installed: {there})"
