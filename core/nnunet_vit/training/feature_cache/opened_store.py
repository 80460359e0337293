"""Where a training's views are kept, with those that are there already and hold."""

import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from nnunet_vit.errors import DataError, counted
from nnunet_vit.files.json_file import JsonObject, read_json, write_json
from nnunet_vit.report.progress import Progress
from nnunet_vit.training.feature_cache.cache_figures import CacheFigures
from nnunet_vit.training.feature_cache.cache_key import changed
from nnunet_vit.training.feature_cache.disk_store import DiskStore
from nnunet_vit.training.feature_cache.memory_store import MemoryStore
from nnunet_vit.training.feature_cache.view_plan import ViewPlan

RECORD, FOLDER = "feature_cache.json", "feature_cache"  # in the fold's folder


def opened_store(
    fold: Path, plan: ViewPlan, key: Mapping[str, str], *, figures: CacheFigures, progress: Progress
) -> MemoryStore | DiskStore:
    """Return the store, and write the record; views of something else are removed, and it is said.

    Args:
        fold: the folder of the fold, which nobody else writes in.
        plan: of the views.
        key: digests of what they depend on.
        figures: of the cache.
        progress: where it is said.
    """
    store: MemoryStore | DiskStore
    if figures.where == "memory":
        shutil.rmtree(fold / FOLDER, ignore_errors=True)  # the run may have kept files before
        store = MemoryStore(plan.lots, plan.batch)
    else:
        store = _found(fold, plan, key, progress=progress)
    fold.mkdir(parents=True, exist_ok=True)
    write_json({"key": dict(key), **asdict(figures)}, fold / RECORD)
    return store


def _found(fold: Path, plan: ViewPlan, key: Mapping[str, str], *, progress: Progress) -> DiskStore:
    place = fold / FOLDER
    files = len(list(place.glob("*"))) if place.is_dir() else 0
    store = DiskStore(place, plan.batch)
    if files:
        progress.start_parts("Checking kept features", files, "file", lambda: store.looked_at)
    try:
        store.look()
    finally:
        progress.close()
    differing = changed(key, _record(fold).get("key", {}))
    if files and differing:
        store.clear()
        progress.log(f"Kept features are made again, for these have changed: {_list(differing)}.")
    elif store.damaged:
        files_text = counted(store.damaged, "file")
        progress.warn(f"{files_text} of kept features not what was written: made again.")
    return store


def _record(fold: Path) -> JsonObject:
    try:
        content = read_json(fold / RECORD)
    except DataError:  # none was written, or not by this program
        return {}
    return content if isinstance(content, dict) else {}


def _list(words: list[str]) -> str:
    return "; ".join(words)
