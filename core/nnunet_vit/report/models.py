"""The installed heads and backbones as rows, from package metadata and light imports alone."""

import contextlib
import sys
from typing import Any

from nnunet_vit.backbones import outside_family, own_families
from nnunet_vit.errors import UserError
from nnunet_vit.registry import catalogue
from nnunet_vit.registry.loading import broken_reason


def head_rows() -> list[dict[str, Any]]:
    """Return name, distribution, version, summary and problem of every installed head."""
    return [
        {
            "name": name,
            "distribution": record.distribution,
            "version": record.version,
            "summary": record.summary,
            "problem": _clash(records) or broken_reason(record),
        }
        for name, records in catalogue.installed(catalogue.HEADS).items()
        for record in records
    ]


def backbone_rows() -> list[dict[str, Any]]:
    """Return the families, of this package and of others, and what timm offers besides."""
    rows = [_family_row(family, "nnunet-vit", "") for family in own_families().values()]
    for name, records in catalogue.installed(catalogue.BACKBONES).items():
        for record in records:
            rows.append(_outside_row(name, record, _clash(records)))
    rows.append(
        {
            "name": "timm:<name>",
            "sizes": [],
            "patch_size": None,
            "licence": "of the weights' model card",
            "summary": "any plain ViT of timm, for example timm:vit_base_patch16_224",
            "distribution": "timm",
            "problem": "",
        }
    )
    return rows


def as_text(kind: str, rows: list[dict[str, Any]]) -> str:
    """Return rows as lines with aligned names; problems stand below their row."""
    lines = [f"{kind}:"]
    width = max((len(row["name"]) for row in rows), default=0)
    for row in rows:
        lines.append(f"  {row['name']:<{width}}  {_detail(row)}")
        if row["problem"]:
            lines.append(f"  {'':<{width}}  BROKEN: {row['problem']}")
    if not rows:
        lines.append("  none: pip install nnunet-vit-segformer, for one")
    return "\n".join(lines)


def _detail(row: dict[str, Any]) -> str:
    if "version" in row:
        return f"{row['summary']}  ({row['distribution']} {row['version']})"
    sizes = f"sizes {', '.join(row['sizes'])}; " if row["sizes"] else ""
    patch = f"patch {row['patch_size']}; " if row["patch_size"] else ""
    return f"{row['summary']}; {sizes}{patch}licence: {row['licence']}"


def _family_row(family: Any, distribution: str, problem: str) -> dict[str, Any]:  # noqa: ANN401
    return {
        "name": family.name,
        "sizes": list(family.sizes),
        "patch_size": family.patch_size,
        "licence": family.licence,
        "summary": family.summary,
        "distribution": distribution,
        "problem": problem,
    }


def _outside_row(name: str, record: catalogue.PluginRecord, clash: str) -> dict[str, Any]:
    problem = clash or broken_reason(record)
    if not problem:
        try:
            with contextlib.redirect_stdout(sys.stderr):
                return _family_row(outside_family(record), record.distribution, "")
        except UserError as error:
            problem = error.problem
    return {
        "name": name,
        "sizes": [],
        "patch_size": None,
        "licence": "unknown",
        "summary": record.summary,
        "distribution": record.distribution,
        "problem": problem,
    }


def _clash(records: list[catalogue.PluginRecord]) -> str:
    if len(records) < 2:
        return ""
    return "provided by " + " and by ".join(record.origin for record in records)
