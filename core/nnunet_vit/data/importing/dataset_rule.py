"""Which rule makes labels of a dataset's masks, and which masks do not follow it."""

from collections.abc import Sequence
from dataclasses import replace

from nnunet_vit.data.faults import Fault
from nnunet_vit.data.file_faults import SHOWN, FileFault, grouped
from nnunet_vit.data.importing.case_facts import CaseFacts
from nnunet_vit.data.importing.class_options import ClassOptions
from nnunet_vit.data.importing.class_rules import (
    ClassRule,
    found_rule,
    key_text,
    said_rule,
    suggestion,
)
from nnunet_vit.data.importing.overlapping import OverlapRule, added, overlap_rule
from nnunet_vit.data.importing.palettes import number_faults
from nnunet_vit.data.importing.source_cases import SourceCases
from nnunet_vit.errors import shortened


def rule_of(
    source: SourceCases, options: ClassOptions, looks: Sequence[CaseFacts], *, greys: bool
) -> tuple[ClassRule | OverlapRule | None, list[Fault]]:
    """Return how masks become labels, or what is wrong with their values.

    Args:
        source: says whether there are masks of one class each.
        options: what is said of the values.
        looks: with masks.
        greys: whether the values of palettes are their greys.
    """
    counts = added(look.counts for look in looks)
    if source.classes:
        return overlap_rule(source.classes, counts)
    if options.said:
        rule = replace(said_rule(options), greys=greys)
        return rule, [*number_faults(looks, options), *_unknown(rule, looks)]
    colours = added(look.counts for look in looks if look.coloured)
    if colours:
        fix = suggestion(sorted(colours), coloured=True)
        names = shortened((key_text(key, True) for key in sorted(colours)), SHOWN)
        files = shortened((look.masks[""].file.name for look in looks if look.coloured), SHOWN)
        return None, [Fault(f"Masks have colours ({names}): {files}.", fix)]
    wrong = number_faults(looks, options)
    if wrong:
        return None, wrong
    found = found_rule(counts) if counts else ClassRule({}, {0: 0})
    if isinstance(found, Fault):
        return None, [found]
    return replace(found, greys=greys), []


def _unknown(rule: ClassRule, looks: Sequence[CaseFacts]) -> list[Fault]:
    """Return the masks with values or colours that --label does not name."""
    faults = []
    for look in looks:
        mask = look.masks[""].file
        if look.coloured and not rule.coloured:
            faults.append(FileFault(mask, "has colours, and --label names numbers", "#RRGGBB"))
            continue
        odd = [key for key in look.counts if key not in rule.numbers]
        if odd:
            names = shortened((key_text(key, rule.coloured) for key in odd), SHOWN)
            what = f"holds {names}, which no --label names"
            faults.append(FileFault(mask, what, "name it too; background=VALUE for background"))
    return grouped(faults)
