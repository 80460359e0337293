"""Which plugins are installed, from the metadata of the installed packages alone."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import Distribution, EntryPoint, entry_points
from pathlib import Path

from nnunet_vit.errors import ConfigError, PluginError, did_you_mean
from nnunet_vit.registry.requirements import unmet_requirements
from nnunet_vit.registry.search_path import search_path

HEADS = "nnunet_vit.heads"
BACKBONES = "nnunet_vit.backbones"
TUNING = "nnunet_vit.tuning"
METRICS = "nnunet_vit.metrics"
TRACKERS = "nnunet_vit.trackers"
LOSSES = "nnunet_vit.losses"
AUGMENTATIONS = "nnunet_vit.augmentations"
KINDS = {
    HEADS: "head",
    BACKBONES: "backbone",
    TUNING: "tuning method",
    METRICS: "metric",
    TRACKERS: "tracker",
    LOSSES: "loss term",
    AUGMENTATIONS: "augmentation",
}


@dataclass(frozen=True)
class PluginRecord:
    """One entry point: its name and the distribution that brings it.

    Attributes:
        name: of the entry point.
        distribution: its name; without metadata that of its folder.
        version: of the distribution.
        summary: of the distribution, one line.
        entry_point: to load.
        problem: what is wrong with the installation, one sentence; or an empty string.
    """

    name: str
    distribution: str
    version: str
    summary: str
    entry_point: EntryPoint
    problem: str = ""

    @property
    def origin(self) -> str:
        """The distribution with its version, as errors name it."""
        return f"{self.distribution} {self.version}"

    @property
    def title(self) -> str:
        """The plugin, as errors begin."""
        return f"Plugin '{self.name}' ({self.origin})"


def installed(group: str) -> dict[str, list[PluginRecord]]:
    """Return the plugins of a group by name, sorted; more than one record is a clash."""
    records: dict[str, list[PluginRecord]] = defaultdict(list)
    for record in _records(group, entry_points, search_path()):
        records[record.name].append(record)
    return dict(records)


@lru_cache(maxsize=4 * len(KINDS))  # a finder that comes and goes is a search path of its own
def _records(
    group: str, found: Callable[..., Iterable[EntryPoint]], where: Hashable
) -> tuple[PluginRecord, ...]:
    """Read the metadata of every installed package: a command asks for names dozens of times."""
    return tuple(map(_record, sorted(found(group=group), key=lambda entry: entry.name)))


def find(group: str, name: str) -> PluginRecord:
    """Return the one plugin of that name.

    Raises:
        ConfigError: no installed distribution has it; names the nearest and all that are there.
        PluginError: two distributions have it; names both.
    """
    known = installed(group)
    if name not in known:
        raise unknown_name(KINDS[group], name, list(known))
    if len(known[name]) > 1:
        raise clash(KINDS[group], known[name])
    return known[name][0]


def unknown_name(kind: str, name: str, known: list[str], *, hint: str = "") -> ConfigError:
    """Return the error for a name that nothing installed has; `hint` is a better one's.

    No package is named: one called after a misspelled head could be anybody's.
    """
    hint = hint or did_you_mean(name, known)
    fix = f"choose an installed {kind} (`vit_cli list-models` shows them)"
    if not hint:
        fix += f", or install the package that brings '{name}'"
    if kind == KINDS[HEADS] and "." in name:
        fix = f"a module is named by model.model_path: {name}"
    return ConfigError(
        f"Unknown {kind} '{name}'.{hint} Installed: {', '.join(known) or 'none'}.", fix=f"{fix}."
    )


def clash(kind: str, records: list[PluginRecord]) -> PluginError:
    """Return the error for a name that several distributions claim."""
    origins = " and ".join(record.origin for record in records)
    return PluginError(
        f"The {kind} '{records[0].name}' is provided by {len(records)} distributions: {origins}.",
        fix=f"pip uninstall {records[-1].distribution} (or {records[0].distribution}).",
    )


def own_clash(record: PluginRecord) -> PluginError:
    """Return the error for a plugin with the name of something that nnunet-vit brings itself."""
    return PluginError(
        f"The {KINDS[record.entry_point.group]} '{record.name}' comes from nnunet-vit and from "
        f"{record.origin}.",
        fix=f"pip uninstall {record.distribution}.",
    )


def _record(entry_point: EntryPoint) -> PluginRecord:
    distribution = entry_point.dist
    if distribution is None:
        return PluginRecord(entry_point.name, "unknown distribution", "?", "", entry_point)
    metadata = _metadata(distribution)
    if metadata is None:
        folder = _folder(distribution)
        return PluginRecord(
            entry_point.name, folder.name, "?", "", entry_point, f"{folder} has no METADATA."
        )
    return PluginRecord(
        name=entry_point.name,
        distribution=metadata["name"],
        version=metadata["version"],
        summary=metadata["summary"],
        entry_point=entry_point,
        problem=unmet_requirements(distribution),
    )


def _metadata(distribution: Distribution) -> dict[str, str] | None:
    """Return name, version and summary; None where METADATA is missing, as Python 3.13 tells."""
    try:
        found = distribution.metadata.json
    except (AttributeError, ImportError, OSError):  # the last: importlib_metadata's, once imported
        return None
    if not found.get("name"):
        return None
    return {key: str(found.get(key, "")) for key in ("name", "version", "summary")}


def _folder(distribution: Distribution) -> Path:
    # importlib.metadata has no public name for it, and without metadata nothing else names it
    return Path(str(getattr(distribution, "_path", distribution.locate_file(""))))
