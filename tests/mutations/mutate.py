"""Seeded damage to the files that people bring: JSON, images and masks."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

JUNK = (
    None, True, -1, 0, 1.5, 1e308, 10**30, "", "x", "-1", "../x", "a\nb", [], [[]], {}, {"0": None},
    ["a", 1], "NaN", "é", {"a": {"b": []}},
)  # fmt: skip
ENDINGS = (".PNG", ".jpg", ".tif", ".nii.gz", ".nii", ".txt", "", ".png.bak")
STRAYS = ("._{}", "{}~", ".DS_Store", "Thumbs.db", "copy of {}", "{}.tmp")
MODES = ("RGBA", "LA", "L", "P", "RGB", "I;16", "F", "1", "CMYK")


def mutate_json(file: Path, dice: random.Random) -> str:
    """Damage a JSON file: its values, its keys or its text; return what was done."""
    text = file.read_text(encoding="utf-8")
    if dice.random() < 0.3:
        return _damage_text(file, text, dice)
    content = json.loads(text)
    done = [_change_value(content, dice) for _ in range(dice.choice((1, 1, 2)))]
    if dice.random() < 0.05:
        content, done = dice.choice(JUNK), ["whole file replaced"]
    file.write_text(json.dumps(content), encoding="utf-8")
    return f"{file.name}: {', '.join(done)}"


def _damage_text(file: Path, text: str, dice: random.Random) -> str:
    place = dice.randrange(len(text))
    damaged: dict[str, bytes] = {
        "cut off": text[:place].encode(),
        "empty": b"",
        "byte order mark": b"\xef\xbb\xbf" + text.encode(),
        "UTF-16": text.encode("utf-16"),
        "a zero byte": text[:place].encode() + b"\0" + text[place:].encode(),
        "not UTF-8": text[:place].encode() + b"\xff\xfe" + text[place:].encode(),
        "nested": b"[" * 100_000,
        "trailing comma": text.replace("]", ",]").replace("}", ",}").encode(),
        "not a number": text.replace("1", "NaN").encode(),
    }
    word = dice.choice(sorted(damaged))
    file.write_bytes(damaged[word])
    return f"{file.name}: {word}"


def _places(content: object) -> list[tuple[list | dict, object]]:
    """Return every container of a JSON value with each of its keys or indices."""
    found: list[tuple[list | dict, object]] = []
    keys = content if isinstance(content, dict) else range(len(content))
    for key in keys:
        found.append((content, key))
        if isinstance(content[key], list | dict):
            found += _places(content[key])
    return found


def _change_value(content: object, dice: random.Random) -> str:
    places = _places(content) if isinstance(content, list | dict) else []
    if not places:
        return "nothing"
    container, key = dice.choice(places[:200])
    kind = dice.choice(("junk", "junk", "delete", "double", "rename"))
    if kind == "delete":
        del container[key]
    elif kind == "double" and isinstance(container, list):
        container.append(container[key])
    elif kind == "rename" and isinstance(container, dict):
        container[f"{key} x"] = container.pop(key)
    else:
        container[key] = dice.choice(JUNK)
    return f"{kind} at {key}"


def mutate_picture(folder: Path, dice: random.Random) -> str:
    """Damage one picture of a folder, or what lies around it; return what was done."""
    file = dice.choice(sorted(folder.glob("*.png")))  # masks have JSON beside them
    kinds: tuple[Callable[[Path, random.Random], str], ...] = (
        _damage_bytes, _damage_bytes, _convert, _convert, _resize, _rename, _stray, _values,
        _values, _remove,
    )  # fmt: skip
    return f"{folder.name}/{file.name}: {dice.choice(kinds)(file, dice)}"


def _damage_bytes(file: Path, dice: random.Random) -> str:
    data = file.read_bytes()
    place = dice.randrange(len(data))
    damaged = {
        "empty": b"",
        "cut off": data[:place],
        "zeros": data[:place] + b"\0" * (len(data) - place),
        "other bytes": data[:place] + dice.randbytes(20) + data[place + 20 :],
        "a web page": b"<!DOCTYPE html><html>login</html>",
        "random": dice.randbytes(300),
    }
    word = dice.choice(sorted(damaged))
    file.write_bytes(damaged[word])
    return word


def _convert(file: Path, dice: random.Random) -> str:
    mode = dice.choice(MODES)
    picture = Image.open(file)
    picture.load()
    grey = np.asarray(picture.convert("L"))
    if mode == "I;16":
        picture = Image.fromarray(grey.astype(np.uint16) * 257)
    elif mode == "F":
        picture = Image.fromarray(grey.astype(np.float32) / 3)
    else:
        picture = picture.convert(mode)
    format_of = {"F": "TIFF", "CMYK": "JPEG"}
    picture.save(file, format=format_of.get(mode, "PNG"))
    return f"mode {mode}"


def _resize(file: Path, dice: random.Random) -> str:
    size = dice.choice(((1, 1), (5, 70), (300, 2), (64, 48), (2000, 1500)))
    with Image.open(file) as picture:
        picture.resize(size).save(file)
    return f"size {size}"


def _rename(file: Path, dice: random.Random) -> str:
    stem = file.name.removesuffix(".png")
    names = [stem + ending for ending in ENDINGS]
    names += [
        f"{stem.removesuffix('_0000')}_0001.png",
        f"{stem}_0000.png",
        "x.png",
        " .png",
        "é.png",
    ]
    name = dice.choice(names)
    target = file.with_name(name)
    if not target.exists():
        file.rename(target)
    return f"renamed {name!r}"


def _stray(file: Path, dice: random.Random) -> str:
    name = dice.choice(STRAYS).format(file.name)
    if dice.random() < 0.3:
        file.with_name(name + ".png").mkdir(exist_ok=True)
        return f"a folder {name}.png"
    file.with_name(name).write_bytes(dice.randbytes(100))
    return f"a stray file {name}"


def _values(file: Path, dice: random.Random) -> str:
    kind = dice.choice(("all zero", "times 85", "all one", "other values", "255"))
    with Image.open(file) as picture:
        values = np.asarray(picture).copy()
    changed = {
        "all zero": values * 0,
        "times 85": values * 85,
        "all one": values * 0 + 1,
        "other values": values + 7,
        "255": np.where(values > 0, 255, 0),
    }
    Image.fromarray(changed[kind].astype(values.dtype)).save(file)
    return kind


def _remove(file: Path, dice: random.Random) -> str:
    if dice.random() < 0.2:
        shutil.rmtree(file.parent)
        return "its whole folder removed"
    file.unlink()
    return "removed"
