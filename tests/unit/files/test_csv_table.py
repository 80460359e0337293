"""A table is whole, or the one before."""

import pytest

from nnunet_vit.errors import MachineError
from nnunet_vit.files.csv_table import write_table

pytestmark = pytest.mark.unit


def test_a_table(tmp_path):
    write_table(("case", "size"), [("a, b", 1), ('"c"', "")], tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_bytes() == b'case,size\n"a, b",1\n"""c""",\n'
    write_table(("case",), [], tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == "case\n"


def test_rows_that_fail_leave_the_table_before(tmp_path):
    write_table(("case",), [], tmp_path / "t.csv")
    with pytest.raises(ZeroDivisionError):
        write_table(("other",), ((1 / value,) for value in (1, 0)), tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == "case\n"
    with pytest.raises(MachineError, match="cannot be written"):
        write_table(("case",), [], tmp_path / "none" / "t.csv")
