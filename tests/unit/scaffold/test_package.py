"""vit_cli new-head: whole packages, refused names, and the example that they are made from."""

import ast
import re
from pathlib import Path

import pytest

from nnunet_vit.errors import ConfigError
from nnunet_vit.scaffold.package import FILES, package_files, write_package

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "third_party_head"


@pytest.mark.parametrize("name", ["mine", "my_head2", "a"])
def test_a_package(tmp_path, name):
    folder = write_package(name, tmp_path / "new")
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    package = f"nnunet_vit_{name}"
    assert found == {
        "pyproject.toml",
        "README.md",
        f"{package}/__init__.py",
        f"{package}/decoder.py",
        f"tests/test_{name}.py",
    }
    texts = {path: (folder / path).read_text() for path in found}
    assert not [path for path, text in texts.items() if "twolevel" in text.lower()]
    for path, text in texts.items():
        if path.endswith(".py"):
            ast.parse(text)
    assert f'{name} = "{package}"' in texts["pyproject.toml"]
    assert "    head = " in texts[f"tests/test_{name}.py"].splitlines()[-1]
    assert len([line for line in texts[f"tests/test_{name}.py"].splitlines() if line]) <= 5


def test_its_own_folder(tmp_path, monkeypatch, capsys):
    from nnunet_vit.cli import main

    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        main(["new-head", "my_head"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == (
        "nnunet-vit-my-head holds the head 'my_head'. Change nnunet_vit_my_head/decoder.py to "
        "yours.\nNext: pip install -e nnunet-vit-my-head && vit_cli check-head my_head\n"
    )
    assert Path("nnunet-vit-my-head", "pyproject.toml").is_file()


ALLOWED = (
    "allowed: lower-case letters, digits and single _ between them, a letter first, at most 40 "
    "characters, no word of Python. Fix: a name like my_head."
)


@pytest.mark.parametrize(
    "name", ["My", "1st", "my-head", "a__b", "_a", "a_", "", "../up", "class", "a b", "a" * 41, "ä"]
)
def test_names_that_are_none(tmp_path, name):
    with pytest.raises(ConfigError) as caught:
        write_package(name, tmp_path / "new")
    assert str(caught.value) == f"'{name}' is no name for a head; {ALLOWED}"
    assert list(tmp_path.iterdir()) == []


def test_the_name_of_an_installed_head(tmp_path):
    with pytest.raises(ConfigError) as caught:
        write_package("linear", tmp_path / "new")
    assert str(caught.value) == (
        "A head 'linear' is installed: nnunet-vit-linear 0.1.0. Fix: another name."
    )


def test_nothing_is_written_over(tmp_path):
    (tmp_path / "kept").write_text("mine")
    for target in (tmp_path, tmp_path / "kept"):
        with pytest.raises(ConfigError) as caught:
            write_package("mine", target)
        assert str(caught.value) == f"{target} exists already. Fix: another --folder, or remove it."
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def source():
    """Return the example's files, without what building and testing leave."""
    left = re.compile(r"__pycache__|build|.*\.egg-info|\..*")
    found = (path.relative_to(EXAMPLE) for path in EXAMPLE.rglob("*") if path.is_file())
    return {
        path.as_posix(): (EXAMPLE / path).read_text(encoding="utf-8")
        for path in found
        if not any(left.fullmatch(part) for part in path.parts)
    }


def test_new_head_writes_the_example():
    command = "python examples/write_template.py"
    assert package_files("twolevel") == source(), f"run {command}"
    assert [*package_files("twolevel")] == [*FILES]


def test_a_name_that_holds_the_examples_name():
    files = package_files("my_twolevel")
    assert 'name = "nnunet-vit-my-twolevel"' in files["pyproject.toml"]
    assert 'head = "my_twolevel"' in files["tests/test_my_twolevel.py"]
    assert "class MyTwolevelOptions(" in files["nnunet_vit_my_twolevel/__init__.py"]


@pytest.mark.parametrize("path", [path for path in FILES if path.endswith(".py")])
def test_the_tutorial_shows_the_example(path):
    page = (ROOT / "docs/write_a_head.md").read_text(encoding="utf-8")
    assert f"```python\n{source()[path]}```\n" in page
