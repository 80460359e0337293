"""Which cases belong together, by a table or a pattern; what is wrong is named whole."""

import re

import pytest

from nnunet_vit.data.folds.case_groups import groups_of
from nnunet_vit.errors import DataError

pytestmark = pytest.mark.unit

CASES = ["P1_a", "P1_b", "P2_a"]
GROUPS = {"P1_a": "1", "P1_b": "1", "P2_a": "2"}


@pytest.fixture
def table(tmp_path):
    def write(text):
        path = tmp_path / "groups.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return write


def test_a_pattern_finds_the_group_anywhere_in_the_name():
    assert groups_of(r"P(\d+)_", CASES) == GROUPS
    assert groups_of(r"_(\w)$", CASES) == {"P1_a": "a", "P1_b": "b", "P2_a": "a"}


@pytest.mark.parametrize(
    "text",
    [
        "case,group\nP1_a,1\nP1_b,1\nP2_a,2\n",
        "site,group,case\nx,1,P1_a\nx,1,P1_b\ny,2,P2_a\n",
        "case;group\r\nP1_a;1\r\nP1_b;1\r\nP2_a;2\r\n",
        "case\tgroup\nP2_a\t2\nP1_b\t1\nP1_a\t1",
        "\ufeffcase,group\nP1_a,1\nP1_a,1\nP1_b, 1 \n\nP2_a,2\ntest_9,7\n",
    ],
    ids=["plain", "more columns", "semicolons", "tabs", "byte order mark, doubled, other cases"],
)
def test_tables_as_programs_write_them(table, text):
    assert groups_of(table(text), CASES) == GROUPS


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", " has no column 'case' and no column 'group'; there: none. Fix: name the columns"),
        ("Case,group\nP1_a,1", " has no column 'case'; there: 'Case', 'group'. Fix: name the"),
        (b"case,group\nP\xe4,1", " is no text in UTF-8. Fix: save it as UTF-8"),
        ("case,group\nP1_a,1\nP1_b,\nP2_a,2", ": no group."),
        ("case,group\nP1_a,1\nP1_b,1\nP2_a,2\nP1_a,2", ": P1_a is in group 2 and in 1."),
        (
            "case,group\nP1_a.png,1\nP1_b.png,1\nP2_a,2",
            " has no group of 2 of 3 cases: P1_a, P1_b (names of cases have no '.png'). Fix: add a",
        ),
    ],
)
def test_a_wrong_table_is_refused(table, text, problem):
    path = table(text)
    with pytest.raises(DataError) as caught:
        groups_of(path, CASES, ".png")
    assert re.match(r"(line \d of )?" + re.escape(path + problem), str(caught.value))


def test_all_wrong_lines_are_in_one_answer(table):
    path = table("case,group\nP1_a,\n,1\nP1_b,1\nP1_b,2")
    with pytest.raises(DataError) as caught:
        groups_of(path, CASES)
    lines = str(caught.value).splitlines()
    assert [line.partition("line ")[2] for line in lines[1:]] == [
        f"2 of {path}: no group.",
        f"3 of {path}: no case.",
        f"5 of {path}: P1_b is in group 2 and in 1.",
    ]


def test_a_pattern_that_misses_cases_is_refused():
    with pytest.raises(DataError) as caught:
        groups_of(r"P(\d+)_", [*CASES, "control", "P_3"])
    assert str(caught.value).startswith(
        r"data.groups: the pattern 'P(\\d+)_' finds no group in 2 of 5 cases: P_3, control. Fix: "
    )
    with pytest.raises(DataError, match="no group in 3 of 3"):
        groups_of(r"(x?)P", CASES)
