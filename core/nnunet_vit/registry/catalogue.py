"""Which plugins are installed, from the metadata of the installed packages alone."""

from collections import defaultdict
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from nnunet_vit.errors import ConfigError, PluginError, did_you_mean

HEADS = "nnunet_vit.heads"
BACKBONES = "nnunet_vit.backbones"
_KINDS = {HEADS: "head", BACKBONES: "backbone"}


@dataclass(frozen=True)
class PluginRecord:
    """One entry point: its name and the distribution that brings it."""

    name: str
    distribution: str
    version: str
    summary: str
    entry_point: EntryPoint

    @property
    def origin(self) -> str:
        """The distribution with its version, as errors name it."""
        return f"{self.distribution} {self.version}"


def installed(group: str) -> dict[str, list[PluginRecord]]:
    """Return the plugins of a group by name, sorted; more than one record is a clash."""
    records: dict[str, list[PluginRecord]] = defaultdict(list)
    for entry_point in sorted(entry_points(group=group), key=lambda entry: entry.name):
        records[entry_point.name].append(_record(entry_point))
    return dict(records)


def find(group: str, name: str) -> PluginRecord:
    """Return the one plugin of that name.

    Raises:
        ConfigError: no installed distribution has it; names the nearest and all that are there.
        PluginError: two distributions have it; names both.
    """
    known = installed(group)
    if name not in known:
        raise unknown_name(_KINDS[group], name, list(known))
    if len(known[name]) > 1:
        raise clash(_KINDS[group], known[name])
    return known[name][0]


def unknown_name(kind: str, name: str, known: list[str], hint: str = "") -> ConfigError:
    """Return the error for a name that nothing installed has; `hint` is a better one's."""
    hint = hint or did_you_mean(name, known)
    choose = f"choose an installed {kind} (`vit_cli list-models` shows them)."
    # heads' packages are named after them; one named after a typing error could be anybody's
    named = kind == _KINDS[HEADS] and not hint
    install = f"pip install nnunet-vit-{name.replace('_', '-')}, or " if named else ""
    return ConfigError(
        f"Unknown {kind} '{name}'.{hint} Installed: {', '.join(known) or 'none'}.",
        fix=f"{install}{choose}",
    )


def clash(kind: str, records: list[PluginRecord]) -> PluginError:
    """Return the error for a name that several distributions claim."""
    origins = " and ".join(record.origin for record in records)
    return PluginError(
        f"The {kind} '{records[0].name}' is provided by {len(records)} distributions: {origins}.",
        fix=f"pip uninstall {records[-1].distribution} (or {records[0].distribution}).",
    )


def _record(entry_point: EntryPoint) -> PluginRecord:
    distribution = entry_point.dist
    if distribution is None:
        return PluginRecord(entry_point.name, "unknown distribution", "?", "", entry_point)
    return PluginRecord(
        name=entry_point.name,
        distribution=distribution.name,
        version=distribution.version,
        summary=str(distribution.metadata.json.get("summary", "")),
        entry_point=entry_point,
    )
