"""Cases of a folder, a list, a table and single files: which files are which case."""

import pytest
from picture_formats import formats, pixels, save

from nnunet_vit.errors import DataError
from nnunet_vit.inference.images.asked import asked_for

pytestmark = pytest.mark.unit

RGB = ("R", "G", "B")


def asked(*images, channels=RGB, **more):
    return asked_for(images, formats(**more), channels)


def refusal(*images, **more):
    with pytest.raises(DataError) as caught:
        asked(*images, **more)
    return str(caught.value)


@pytest.fixture
def folder(tmp_path):
    """`folder("a.png", "b.jpg")` makes these files and returns where they are."""

    def made(*names):
        for name in names:
            save(tmp_path / "images" / name, pixels())
        return tmp_path / "images"

    return made


def names_of(found):
    return {case: [file.name for file in files] for case, files in found.cases.items()}


def test_a_folder_has_each_format_that_the_model_takes(folder):
    place = folder("b_0001.png", "b_0000.png", "a_0000.JPG", "c_0000.nii.gz", "plain.bmp")
    (place / "d_0000.webp").touch()
    found = asked(place)
    assert names_of(found) == {
        "a": ["a_0000.JPG"], "b": ["b_0000.png", "b_0001.png"], "c": ["c_0000.nii.gz"]
    }  # fmt: skip
    assert found.notices == (
        f"Left out of {place}: plain.bmp: no number of a channel. To predict them, rename "
        "plain.bmp to plain_0000.bmp; or name them as they are, in a list (-i list.txt) or one by "
        f"one (-i {place / 'plain.bmp'} …).",
        f"Left out of {place}: d_0000.webp: no format that this model takes (1 file *.webp). "
        "Convert them to *.png to predict them.",
    )


def test_previews_beside_images_of_the_models_own_format_are_left_out(folder):
    place = folder("x_0000.png", "x_preview.jpg", "overview.jpg")
    assert list(asked(place).cases) == ["x"]
    assert "overview.jpg, x_preview.jpg: no number of a channel" in asked(place).notices[0]


def test_a_folder_of_which_most_would_be_left_out(folder):
    place = folder("x_0000.bmp", "a.jpg")
    assert list(asked(place).cases) == ["x"]
    assert "a.jpg: no number of a channel" in asked(place).notices[0]
    folder("b.jpg")
    assert refusal(place).startswith(
        f"{place}: image files of a folder must end in _0000, one number of four digits per "
        "channel; 2 files without: a.jpg, b.jpg. Fix: rename a.jpg to a_0000.jpg and so on; or "
    )


def test_a_folder_of_photos_without_numbers(folder):
    place = folder("b.jpg", "a.jpg")
    assert refusal(place) == (
        f"{place}: image files of a folder must end in _0000, one number of four digits per "
        "channel; 2 files without: a.jpg, b.jpg. Fix: rename a.jpg to a_0000.jpg and so on; or "
        f"name them as they are, in a list (-i list.txt) or one by one (-i {place / 'a.jpg'} …)."
    )


def test_a_case_in_two_formats(folder):
    place = folder("a_0000.png", "a_0000.jpg", "b_0000.png")
    assert refusal(place).startswith(f"Case 'a' is there 2 times: {place / 'a_0000.png'}, ")


def test_a_list_of_images_and_cases(folder, tmp_path):
    folder("a.jpg", "b_0000.png", "c_0001.png", "c_0000.png", "c d_0000.png", "e.v2_0000.png")
    file = tmp_path / "mine.txt"
    file.write_text(
        "\ufeff# mine\n\n images/a.jpg\nimages/c\nimages/b_0000.png\nimages/c d\nimages/e.v2\n"
        f"{tmp_path / 'images' / 'gone.png'}\nimages/nothing\n"
    )
    found = asked(file)
    assert names_of(found) == {
        "a": ["a.jpg"], "c": ["c_0000.png", "c_0001.png"], "b": ["b_0000.png"],
        "c d": ["c d_0000.png"], "e.v2": ["e.v2_0000.png"], "gone": ["gone.png"],
        "nothing": ["nothing"],
    }  # fmt: skip
    assert found.named["gone"] == "line 8 of mine.txt"


def test_endings_of_two_parts(tmp_path):
    for name in ("a_0000.ome.tif", "b.ome.tif", "c.nii.gz"):
        (tmp_path / name).touch()
    (tmp_path / "d.ome.zarr").mkdir()
    (tmp_path / "mine.txt").write_text("a_0000.ome.tif\nb.ome.tif\nc.nii.gz\nd.ome.zarr\n")
    for ending in (".png", ".tif"):
        found = asked(tmp_path / "mine.txt", ending=ending)
        assert list(found.cases) == ["a", "b", "c", "d"]


def test_all_that_is_wrong_with_a_list_at_once(folder, tmp_path):
    folder("a.jpg", "a_0000.png", "b.png")
    file = tmp_path / "mine.txt"
    file.write_text("images/a.jpg\nimages/b.png\nimages/a_0000.png\nimages/b.png\nimages/.c.png\n")
    lines = refusal(file).splitlines()
    assert lines[0] == f"-i {file}: 3 problems"
    assert "images/a.jpg (line 1 of mine.txt), " in lines[1]
    assert "Case 'b' is there 2 times: " in lines[2] and "(line 4 of mine.txt)" in lines[2]
    assert lines[3].startswith("  line 5 of mine.txt: the case '.c' cannot name a mask.")


@pytest.mark.parametrize("content", ["", "# nothing\n\n"])
def test_an_empty_list(tmp_path, content):
    (tmp_path / "mine.txt").write_text(content)
    assert refusal(tmp_path / "mine.txt").startswith(f"-i {tmp_path / 'mine.txt'} names no image.")


@pytest.mark.parametrize("name", ["mine.txt", "mine.csv"])
def test_what_is_no_text(tmp_path, name):
    (tmp_path / name).write_bytes(b"\xff\xfe\x00\x80")
    assert refusal(tmp_path / name).startswith(f"-i {tmp_path / name} is no text in UTF-8.")


@pytest.mark.parametrize(
    ("text", "files"),
    [
        ("case,file\none,a.png\ntwo,b.png\n", {"one": ["a.png"], "two": ["b.png"]}),
        ("File;age;Case\na.png;7;one\n;;\n", {"one": ["a.png"]}),
        ("case,b,R,g\none,3.png,1.png,2.png\n", {"one": ["1.png", "2.png", "3.png"]}),
        ("case\tchannel_0001\tchannel_0000\none\t2.png\t1.png\n", {"one": ["1.png", "2.png"]}),
        ('case,file\n"one, two",x/a.png\n', {"one, two": ["a.png"]}),
    ],
)
def test_tables(tmp_path, text, files):
    (tmp_path / "mine.csv").write_text("\ufeff" + text)
    found = asked(tmp_path / "mine.csv")
    assert names_of(found) == files
    assert all(file.is_relative_to(tmp_path) for own in found.cases.values() for file in own)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "nothing"),
        ("name,file\na,b\n", "name, file"),
        ("case,R,G\na,b,c\n", "case, R, G"),
        ("case,file,channel_0000\na,b,c\n", "several of them: case, file, channel_0000"),
    ],
)
def test_columns_that_are_not_there(tmp_path, text, found):
    (tmp_path / "mine.csv").write_text(text)
    assert refusal(tmp_path / "mine.csv") == (
        f"-i {tmp_path / 'mine.csv'}: needed: the column case, and either file, or one per channel "
        "of the model (R, G, B), or channel_0000, channel_0001 and so on; found: "
        f"{found}. Fix: the first line names the columns, as in case,file"
    )


def test_channels_are_in_the_order_of_their_numbers(tmp_path):
    columns = ["Channel_10", *(f"channel_{number}" for number in range(10))]
    table = tmp_path / "table.csv"
    table.write_text(f"case,{','.join(columns)}\na,{','.join(columns)}\n")
    assert names_of(asked(table)) == {"a": [*columns[1:], "Channel_10"]}


@pytest.mark.parametrize(
    "columns", ["case,file,file", "case,channel_1,channel_0001", "case,Case,file", "case,r,g,b,B"]
)
def test_a_column_that_is_there_twice(tmp_path, columns):
    table = tmp_path / "table.csv"
    table.write_text(f"{columns}\n{columns}\n")
    assert f"a column is there twice: {', '.join(columns.split(','))}." in refusal(table)


def test_all_that_is_wrong_with_a_table_at_once(tmp_path):
    file = tmp_path / "mine.csv"
    file.write_text("case,R,G,B\na,1,2,3\nb,1,,\n../c,1,2,3\na,4,5,6\n,1,2,3\n")
    lines = refusal(file).splitlines()
    assert lines[0] == f"-i {file}: 4 problems"
    assert lines[1] == "  line 3 of mine.csv: no value for G and B."
    assert lines[2] == "  line 6 of mine.csv: no value for case."
    assert lines[3].startswith("  Case 'a' is there 2 times: ")
    assert lines[4].startswith("  line 4 of mine.csv: the case '../c' cannot name a mask.")
    file.write_text("case,file\n")
    assert refusal(file).startswith(f"-i {file} has no row.")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            f"case,file\na,{'x' * 140_000}\n",
            "is no table, in line 2: field larger than field limit",
        ),
        ("case,file\na,b, c.png\n", "line 2 of mine.csv: 3 values for 2 columns. Fix: put values"),
        ("case,file\n,,x.png\n", "line 2 of mine.csv: 3 values for 2 columns."),
    ],
)
def test_rows_that_are_none(tmp_path, text, told):
    (tmp_path / "mine.csv").write_text(text)
    message = refusal(tmp_path / "mine.csv")
    assert told in message
    assert " Fix: " in message


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_tables_of_other_programs(tmp_path, end, delimiter):
    rows = [["case", "file"], ["one", '"a, b; c.png"'], ['"t ""2"""', "b.png"]]
    text = end.join(map(delimiter.join, rows)) + end
    (tmp_path / "mine.csv").write_bytes(("\ufeff" + text).encode())
    found = asked(tmp_path / "mine.csv")
    assert names_of(found) == {"one": ["a, b; c.png"], 't "2"': ["b.png"]}


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        ("gone.png", "paths are relative to the folder of the file that names them, or whole"),
        ("C:\\scans\\a.png", "/ parts folders here, not \\"),
    ],
)
def test_files_that_are_not_there(tmp_path, line, remedy):
    (tmp_path / "mine.csv").write_text(f"case,file\na,{line}\n")
    found = asked(tmp_path / "mine.csv")
    fault = formats().fault(found.cases["a"][0], found.named["a"])
    assert fault.problem == "is not there; line 2 of mine.csv names it"
    assert fault.remedy == remedy


def test_images_one_by_one(folder, tmp_path):
    place = folder("a.jpg", "b_0000.png", "b_0001.png", "list.txt.png")
    files = [place / name for name in ("a.jpg", "b_0000.png", "b_0001.png")]
    assert names_of(asked(*files)) == {"a": ["a.jpg"], "b": ["b_0000.png", "b_0001.png"]}
    assert names_of(asked(files[0])) == {"a": ["a.jpg"]}
    text = refusal(files[0], place, tmp_path / "mine.csv")
    assert f"-i {place}: beside others, each is one image." in text
    assert f"-i {tmp_path / 'mine.csv'}: beside others" in text
    assert refusal(tmp_path / "no").startswith(f"-i {tmp_path / 'no'} is not there. Fix: ")


def test_files_of_other_programs_among_single_files(folder):
    place = folder("a.png")
    (place / "Thumbs.db").touch()
    found = asked(place / "a.png", place / "Thumbs.db")
    assert names_of(found) == {"a": ["a.png"]}
    assert found.notices == (f"Left out: {place / 'Thumbs.db'}, files of other programs.",)


def test_a_table_whose_first_line_is_for_excel(folder, tmp_path):
    folder("a.png")
    file = tmp_path / "cases.csv"
    file.write_text("sep=;\ncase;file\nPat 1;images/a.png\n", encoding="utf-8-sig")
    found = asked(file)
    assert names_of(found) == {"Pat 1": ["a.png"]}
    assert found.named == {"Pat 1": "line 3 of cases.csv"}
