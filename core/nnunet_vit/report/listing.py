"""The installed heads and backbones as rows, from package metadata and light imports alone."""

import contextlib
import sys
from typing import Any

from nnunet_vit.backbones import (
    TIMM_BEST_EFFORT,
    TIMM_SUPPORTED,
    outside_family,
    own_families,
)
from nnunet_vit.backbones.family import BackboneFamily
from nnunet_vit.errors import UserError
from nnunet_vit.registry import catalogue
from nnunet_vit.registry.plugins import broken_reason

Row = dict[str, Any]  # of list-models: what --json prints of a head or a backbone


def head_rows() -> list[Row]:
    """Return name, distribution, version, summary and problem of every installed head."""
    return [
        {
            "name": name,
            "distribution": record.distribution,
            "version": record.version,
            "summary": record.summary,
            "problem": _clash(records) or record.problem or broken_reason(record),
        }
        for name, records in catalogue.installed(catalogue.HEADS).items()
        for record in records
    ]


def backbone_rows() -> list[Row]:
    """Return the families, of this package and of others, and what timm offers besides."""
    rows = [_family_row(family, "nnunet-vit") for family in own_families().values()]
    for name, records in catalogue.installed(catalogue.BACKBONES).items():
        for record in records:
            rows.append(_outside_row(name, record, _clash(records)))
    return [*rows, _timm_row()]


def as_text(kind: str, rows: list[Row]) -> str:
    """Return rows as lines with aligned names; details and problems stand below their row."""
    lines = [f"{kind}:"]
    width = max((len(row["name"]) for row in rows), default=0)
    for row in rows:
        first, *below = _details(row)
        lines.append(f"  {row['name']:<{width}}  {first}")
        if row["problem"]:
            below.append(f"BROKEN: {row['problem']}")
        lines += [f"  {'':<{width}}  {line}" for line in below]
    if not rows:
        lines.append("  none: pip install nnunet-vit-segformer, for one")
    return "\n".join(lines)


def _details(row: Row) -> list[str]:
    if "version" in row:
        return [f"{row['summary']}  ({row['distribution']} {row['version']})"]
    best_effort = row["timm_modules"].get("best effort", [])
    facts = [
        f"sizes: {', '.join(row['sizes'])}" if row["sizes"] else "",
        f"best effort: {', '.join(best_effort)}" if best_effort else "",
        f"{_patches(row)}licence: {row['licence']}",
        f"weights: {row['weights']}" if row["weights"] else "",
    ]
    return [row["summary"], *filter(None, facts)]


def _patches(row: Row) -> str:
    if not row["patch_size"]:
        return ""
    others = [
        f"{size}: {patch}"
        for size, patch in row["patch_sizes"].items()
        if patch != row["patch_size"]
    ]
    exceptions = f" ({', '.join(others)})" if others else ""
    return f"patch {row['patch_size']}{exceptions}; "


def _family_row(family: BackboneFamily, distribution: str) -> Row:
    return {
        "name": family.name,
        "sizes": list(family.sizes),
        "patch_size": family.patch_size,
        "patch_sizes": {size: family.patch_size_of(size) for size in family.sizes},
        "licence": family.licence,
        "weights": family.weights,
        "fetched": family.fetched,
        "timm_modules": {},
        "summary": family.summary,
        "distribution": distribution,
        "problem": "",
    }


def _timm_row() -> Row:
    return {
        **_unknown_row("timm:<name>", "timm", ""),
        "licence": "of the weights' model card",
        "weights": "fetched from timm's repositories on the model hub; "
        "timm:hf-hub:OWNER/NAME: from any that timm can read",
        "fetched": True,
        "summary": f"any ViT of timm's modules {', '.join(TIMM_SUPPORTED)}, like "
        "timm:vit_base_patch16_224",
        "timm_modules": {
            "supported": list(TIMM_SUPPORTED),
            "best effort": list(TIMM_BEST_EFFORT),
        },
    }


def _outside_row(name: str, record: catalogue.PluginRecord, clash: str) -> Row:
    problem = clash or record.problem or broken_reason(record)
    if not problem:
        try:
            with contextlib.redirect_stdout(sys.stderr):
                return _family_row(outside_family(record), record.distribution)
        except UserError as error:
            problem = error.problem
    unknown = _unknown_row(name, record.distribution, problem)
    return {**unknown, "summary": record.summary}


def _unknown_row(name: str, distribution: str, problem: str) -> Row:
    return {
        "name": name,
        "sizes": [],
        "patch_size": None,
        "patch_sizes": {},
        "licence": "unknown",
        "weights": "",
        "fetched": False,
        "timm_modules": {},
        "summary": "",
        "distribution": distribution,
        "problem": problem,
    }


def _clash(records: list[catalogue.PluginRecord]) -> str:
    if len(records) < 2:
        return ""
    return "provided by " + " and by ".join(record.origin for record in records)
