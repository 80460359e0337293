"""Short files, short functions, no grab-bag modules, nothing that holds on one machine only."""

import ast
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.contract

ROOT = Path(__file__).parents[2]
FOLDERS = ("core", "plugins", "tests", "examples", "docs", "benchmarks", ".ci", ".github")
GENERATED = re.compile(r"__pycache__|build|dist|.*\.egg-info|\.(?!ci$|github$).*")
TEXT = {".py", ".md", ".yaml", ".yml", ".toml", ".txt", ".cfg", ".sh", ".json", ".ini", ""}
LONGEST_FILE = 300
LONGEST_FUNCTION = 40  # lines from def to the last one, its docstring apart
GRAB_BAGS = {"utils", "util", "helpers", "misc", "common", "tools"}
HOSTS = {
    "arxiv.org", "github.com", "doi.org", "www.apache.org", "keepachangelog.com", "semver.org",
    "127.0.0.1", "localhost", "example.org", "x.org", "www.w3.org",
    "json-schema.org",  # and the one before: namespaces
}  # fmt: skip
ONE_MACHINE = re.compile(
    r"(?<![\w.~}])/(?:work|root|Users|home(?!/somebody\b))/"
    r"|[A-Z]:\\\\?Users|\b(?:pypi|huggingface)\.(?:org|co)\b"
)
ADDRESS = re.compile(r"https?://([\w.-]+)")


def files() -> list[Path]:
    """Return what belongs to the project: its folders and the files beside them."""
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    found += ROOT.glob("[!.]*")
    return sorted(
        path
        for path in found
        if path.is_file()
        and path.suffix in TEXT
        and not any(GENERATED.fullmatch(part) for part in path.relative_to(ROOT).parts)
    )


FILES = files()
MODULES = [path for path in FILES if path.suffix == ".py"]


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def long_functions(source: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            if ast.get_docstring(node) is not None:
                lines -= (node.body[0].end_lineno or 0) - node.body[0].lineno + 1
            if lines > LONGEST_FUNCTION:
                found.append(f"{node.name} has {lines} lines")
    return found


def test_there_is_something_to_look_at():
    names = {named(path) for path in FILES}
    assert {"core/nnunet_vit/errors.py", "pyproject.toml", "vit_cli.py"} <= names
    assert {"plugins/linear/README.md", "tests/contract/test_house_rules.py"} <= names
    assert not any(".egg-info" in name or ".venv" in name for name in names)


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_files_are_short_and_named_by_what_they_own(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE
    assert path.stem not in GRAB_BAGS


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_functions_are_short(path):
    assert long_functions(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", FILES, ids=named)
def test_nothing_holds_on_one_machine_only(path):
    text = path.read_text(encoding="utf-8")
    assert [match.group() for match in ONE_MACHINE.finditer(text)] == []
    assert {host for host in ADDRESS.findall(text) if host not in HOSTS} == set()


def test_the_length_of_a_function():
    body = "\n".join("    x = 1" for _ in range(LONGEST_FUNCTION))
    assert long_functions(f"def f():\n{body}\n") == ["f has 41 lines"]
    assert long_functions(f'def f():\n    """Two\n    lines."""\n{body}\n') == ["f has 41 lines"]
    shorter = body.removesuffix("\n    x = 1")
    assert long_functions(f"class A:\n  def f():\n{shorter}\n") == []


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("see /{}/shared", "work"),
        ("C:\\{}s\\me", "User"),
        ("/{}/me/x", "home"),
        ("pip -i //{}.org/simple", "pypi"),
        ("{}face.co/x", "hugging"),
    ],
)
def test_what_counts_as_one_machine(text, word):
    assert ONE_MACHINE.search(text.format(word))


@pytest.mark.parametrize("text", ["~/work/x", "docs/work/x", "{x}/home/y", "/data/raw"])
def test_what_does_not(text):
    assert not ONE_MACHINE.search(text)


def test_differences_are_shown_by_the_owner_of_numbers():
    """A sign comes from `decimal_text`, which gives none to what rounds to 0."""
    owner, signed = ROOT / "core/nnunet_vit/quantities.py", re.compile(r":\+[.{]")
    others = [path for path in (ROOT / "core").rglob("*.py") if path != owner]
    found = [named(path) for path in others if signed.search(path.read_text(encoding="utf-8"))]
    assert found == []
    assert signed.search('f"{x:+.3f}"') and signed.search('f"{x:+.{places}f}"')
