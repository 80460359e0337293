"""YAML 1.2 values: what is read as what, and what is refused before any model looks at it."""

from pathlib import Path

import pytest

from nnunet_vit.config.problems import Problem
from nnunet_vit.config.yaml_source import read_yaml

pytestmark = pytest.mark.unit

WRITE_OUT = "allowed: the values themselves, written out"
LEADING_ZERO = "allowed: a decimal number without leading zeros, or a string in quotes"


def _source_of(text):
    Path("values.yaml").write_text(text, encoding="utf-8")
    return read_yaml(Path("values.yaml"))


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1e-3", 0.001),
        ("3e-05", 0.00003),
        (".5", 0.5),
        ("+7", 7),
        ("0x10", 16),
        ("0o17", 15),
        ("1_000", 1000),
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("12:30:45", "12:30:45"),
        ("'012'", "012"),
        ("!!str 012", "012"),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("[a, [1, null]]", ["a", [1, None]]),
        ("{a: {b: 1}}", {"a": {"b": 1}}),
        ("${HOME}/x", "${HOME}/x"),
    ],
)
def test_values(written, value):
    source = _source_of(f"key: {written}\n")
    assert (source.data, source.problems) == ({"key": value}, [])
    assert type(source.data["key"]) is type(value)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("2024-01-01", "given 2024-01-01, a date to YAML; allowed: a string in quotes"),
        (
            "2024-01-01 10:00:00",
            "given 2024-01-01 10:00:00, a date to YAML; allowed: a string in quotes",
        ),
        ("012", f"given 012; {LEADING_ZERO}"),
        ("!!int word", f"given word; {LEADING_ZERO}"),
        ("1" * 5000, f"given {'1' * 59}…; {LEADING_ZERO}"),
        (".nan", "given .nan; allowed: a finite number"),
        ("-.INF", "given -.INF; allowed: a finite number"),
        ("1e999", "given 1e999; allowed: a finite number"),
        ("=", "given =; allowed: a string in quotes"),
        ("!!binary aGk=", "given the tag !!binary; allowed: plain values without tags"),
        ("!local [1]", "given the tag !local; allowed: plain values without tags"),
        ("!!set {a, b}", "given the tag !!set; allowed: plain values without tags"),
    ],
)
def test_refused_values_are_left_out(written, text):
    source = _source_of(f"first: 1\nkey: {written}\n")
    assert source.data == {"first": 1}
    assert source.problems == [Problem("key", 2, text)]
    assert source.unreadable == [("key",)]


def test_a_python_tag_is_never_executed(run_folder):
    marker = run_folder / "marker"
    source = _source_of(f'key: !!python/object/apply:os.system ["touch {marker}"]\n')
    text = "given the tag !!python/object/apply:os.system; allowed: plain values without tags"
    assert source.problems == [Problem("key", 1, text)]
    assert not marker.exists()


def test_a_refused_item_takes_its_list_with_it():
    source = _source_of("sizes:\n  - 1\n  - 2024-01-01\n")
    text = "given 2024-01-01, a date to YAML; allowed: a string in quotes"
    assert source.data == {}
    assert source.problems == [Problem("sizes[1]", 3, text)]


def test_a_key_given_twice_names_both_lines_and_keeps_the_first():
    source = _source_of("train:\n  seed: 1\n  warmup: 0\n  seed: 2\n")
    assert source.data == {"train": {"seed": 1, "warmup": 0}}
    assert source.problems == [
        Problem("train.seed", 4, "given twice, in lines 2 and 4; allowed: once")
    ]


def test_anchors_aliases_and_merge_keys():
    source = _source_of("a: &x {b: 1}\nc: *x\nd:\n  <<: *x\n  e: [*x]\n")
    assert source.data == {"a": {"b": 1}, "d": {}}
    assert source.problems == [
        Problem("a", 1, f"given the anchor '&x'; {WRITE_OUT}"),
        Problem("c", 2, f"given the alias '*x'; {WRITE_OUT}"),
        Problem("d", 4, f"given the merge key '<<'; {WRITE_OUT}"),
        Problem("d.e[0]", 5, f"given the alias '*x'; {WRITE_OUT}"),
    ]


def test_an_alias_of_itself_and_a_reused_anchor_end():
    source = _source_of("a: &x [*x]\nb: &x 1\n")
    assert [problem.text for problem in source.problems] == [
        f"given the anchor '&x'; {WRITE_OUT}",
        f"given the alias '*x'; {WRITE_OUT}",
        f"given the anchor '&x'; {WRITE_OUT}",
    ]


def test_a_yaml_bomb_is_not_expanded():
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    source = _source_of("\n".join(lines))
    assert source.data == {"a0": ["x", "x"]}
    assert len(source.problems) == 10 + 9 * 10


@pytest.mark.parametrize(
    ("key", "given"),
    [("1", "1"), ("null", "null"), ("2024-01-01", "2024-01-01"), ("? [a]\n", "a sequence")],
)
def test_keys_are_words(key, given):
    source = _source_of(f"{key}: 1\n")
    assert source.data == {}
    assert source.problems == [
        Problem("", 1, f"given the key {given}; allowed: keys that are words")
    ]


def test_lines_of_keys_items_and_what_is_not_there():
    source = _source_of("# run\ntrain:\n  patch_size:\n    - 1\n    - 2\n")
    assert source.line(("train",)) == 2
    assert source.line(("train", "patch_size", 1)) == 5
    assert source.line(("train", "seed")) == 2
    assert source.line(("model",)) is None
