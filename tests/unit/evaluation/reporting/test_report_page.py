"""The page as its elements: what it says, and what it must not do."""

import base64
import hashlib
import io
import re
import shutil

import numpy as np
import pytest
from read_pages import ReadPage
from report_runs import CASES

from nnunet_vit.errors import ConfigError, DataError, MachineError
from nnunet_vit.evaluation.reporting import case_rows
from nnunet_vit.evaluation.reporting.build_report import ReportRequest, write_report
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit
HOSTILE = "<img src=x onerror=alert(1)>&amp;\"'"


@pytest.fixture
def page(tmp_path):
    """`page(run, …)` writes the page of runs and returns its elements."""

    def make(*runs, **given):
        output = tmp_path / "page.html"
        size = write_report(ReportRequest(runs, output, **given), Progress())
        text = output.read_text(encoding="utf-8")
        assert size == output.stat().st_size
        return ReadPage(text)

    return make


def section(page, name):
    (found,) = [s for s in page.all("section") if s.attributes.get("id") == name]
    return found


def rows(element):
    return [[cell.text() for cell in row.inside] for row in element.all("tr")]


def test_what_it_says_of_a_run(model_run, page):
    found = page(model_run())
    summary = section(found, "run-1-summary").text()
    for words in ("nnUNetTrainer, nnUNetPlans", "Dataset005_Eyes", "Folds 0, 1: 8 cases"):
        assert words in summary
    curves = section(found, "run-1-curves")
    titles = [svg.inside[0].text() for svg in curves.all("svg") if "role" in svg.attributes]
    assert titles == ["Loss", "Pseudo Dice", "Learning rate", "Time of an epoch"]
    metrics = rows(section(found, "run-1-metrics"))
    assert metrics[1][:2] == ["disc", "Dice"] and metrics[9][:2] == ["cup", "Dice"]
    cases = rows(section(found, "run-1-cases"))
    assert cases[0][:5] == ["Case", "Fold", "mean Dice", "disc Dice", "cup Dice"]
    assert [row[0] for row in cases[1:]] == list(CASES)
    assert cases[1][2] == "1.000" and float(cases[8][2]) < 0.9
    commands = section(found, "run-1-again").text()
    assert "nnUNetv2_train Dataset005_Eyes 2d 1 -tr nnUNetTrainer -p nnUNetPlans" in commands


def test_each_case_is_shown_once_the_worst_first(model_run, page):
    found = section(page(model_run(), most=2), "run-1-pictures")
    shown = [h.text().split()[0] for h in found.all("h4")]
    assert shown == ["eye_6", "eye_7", "eye_0", "eye_1"]
    found = section(page(model_run()), "run-1-pictures")
    assert sorted(h.text().split()[0] for h in found.all("h4")) == list(CASES)


def test_pictures_mark_errors(model_run, page):
    from PIL import Image

    found = section(page(model_run(), most=1), "run-1-pictures")
    addresses = [image.attributes["src"] for image in found.all("img")]
    assert len(addresses) == 8
    content = base64.b64decode(addresses[3].removeprefix("data:image/jpeg;base64,"))
    picture = np.asarray(Image.open(io.BytesIO(content))).astype(int)
    assert picture.shape == (240, 300, 3)
    missed = (picture[..., 2] > 200) & (picture[..., 0] < 110)
    assert 0.1 < missed[20:140, 20:50].mean()  # the first columns of the disc
    assert not missed[200:].any()


def test_nothing_is_asked_of_any_address(model_run, page):
    found = page(model_run(probabilities=True))
    for element in found.all():
        for name in ("src", "href", "srcset", "action", "data", "poster", "xlink:href"):
            value = element.attributes.get(name, "#")
            assert value.startswith(("#", "data:")), value
        assert not [name for name in element.attributes if name.startswith("on")]
        assert "style" not in element.attributes  # the policy would refuse it
    (policy,) = [
        meta.attributes["content"]
        for meta in found.all("meta")
        if meta.attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none'; img-src data:;")
    for name in ("style", "script"):
        (own,) = [each for each in found.all(name)]
        text = "".join(own.own_text)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy
        assert not re.search(r"https?:|@import|url\(|fetch\(|innerHTML", text)


def test_tables_have_headers_and_pictures_have_texts(model_run, page):
    found = page(model_run(probabilities=True), model_run("other__nnUNetPlans__2d", shift=1))
    for table in found.all("table"):
        assert table.inside[0].name == "caption" and table.inside[0].text()
        assert all(th.attributes.get("scope") in ("col", "row") for th in table.all("th"))
        widths = {len(row) for row in rows(table)}
        assert len(widths) == 1, widths
    assert all(len(image.attributes["alt"]) > 20 for image in found.all("img"))
    for svg in found.all("svg"):
        labelled = svg.attributes.get("role") == "img"
        assert labelled or svg.attributes.get("aria-hidden") == "true"
    names = [e.attributes["id"] for e in found.all() if "id" in e.attributes]
    assert len(names) == len(set(names))
    links = [a.attributes["href"].removeprefix("#") for a in found.all("a")]
    assert set(links) <= set(names)


def test_hostile_names_stay_text(model_run, page):
    labels = {"background": 0, f"<script>alert('{HOSTILE}')</script>": 1, "cup": 2}
    cases = tuple(f"{number}{HOSTILE}" for number in range(4))
    found = page(model_run("a<b>__p'l\"ans__2d", labels=labels, cases=cases), most=1)
    assert len(found.all("script")) == 1
    assert all(image.attributes["src"].startswith("data:") for image in found.all("img"))
    assert [row[0] for row in rows(section(found, "run-1-cases"))[1:]] == list(cases)
    assert section(found, "run-1-metrics").text().count("</script>") >= 8


def test_names_that_are_not_utf8_are_written_escaped(model_run, page):
    folder = model_run(cases=("eye_0", "eye_1", "eye_\udcff"))
    cases = rows(section(page(folder), "run-1-cases"))
    assert [row[0] for row in cases[1:]] == ["eye_0", "eye_1", "eye_\\udcff"]


def test_what_is_not_known_is_said(model_run, page):
    folder = model_run(images=False)
    for log in folder.glob("fold_*/*.txt"):
        log.unlink()
    found = page(folder)
    assert "There are no curves" in section(found, "run-1-curves").text()
    why = (
        f"there are no images in {folder.parent / 'raw/Dataset005_Eyes/imagesTr'}; --images FOLDER"
    )
    assert why in section(found, "run-1-pictures").text()
    assert "eye_6: " in section(found, "run-1-pictures").text()
    assert "There is no reliability diagram" in section(found, "run-1-size").text()
    assert "Nothing is known of the environment" in section(found, "run-1-again").text()
    assert not found.all("img")


def test_an_image_of_another_size_costs_one_picture(model_run, page):
    from report_runs import save

    folder = model_run()
    save(folder.parent / "raw/Dataset005_Eyes/imagesTr/eye_7_0000.png", np.zeros((9, 9)))
    found = section(page(folder, most=4), "run-1-pictures")
    assert "eye_7_0000.png is 9 x 9 pixels, its masks 24 x 30 pixels" in found.text()
    assert len(list(found.all("img"))) == 28


def test_cases_without_an_image_are_named_with_the_folder(model_run, page):
    folder = model_run()
    images = folder.parent / "raw/Dataset005_Eyes/imagesTr"
    (images / "eye_7_0000.png").unlink()
    pictures = section(page(folder, images=images, most=4), "run-1-pictures").text()
    why = f"eye_7: no image CASE_0000.png in {images}; --images FOLDER names another."
    assert why in pictures


def test_a_damaged_history_is_told(model_run, page, monkeypatch):
    warned = []
    monkeypatch.setattr(Progress, "warn", lambda _, text: warned.append(text))
    folder = model_run()
    (folder / "fold_1/history.csv").write_text("epoch,dice\n1,0.")
    curves = section(page(folder), "run-1-curves").text()
    assert "From training_log_2026.txt." in curves
    (line,) = [line for line in warned if "history.csv" in line]
    assert line.endswith("the curves of fold 1 are of nnU-Net's training logs.")


def test_runs_of_the_same_cases_are_compared(model_run, page):
    found = page(model_run(), model_run("worse__nnUNetPlans__2d", shift=2))
    table = rows(section(found, "comparison"))
    assert table[0] == ["Class", "A", "B"]
    assert [row[0] for row in table[1:4]] == ["disc", "cup", "mean of the classes"]
    assert table[5][1] == "B \N{MINUS SIGN} A" and table[5][-1] == "A is better"


def test_few_cases_have_no_interval_of_a_difference(model_run, page):
    few = {"cases": CASES[:4]}
    found = page(model_run(**few), model_run("worse__nnUNetPlans__2d", shift=2, **few))
    table = rows(section(found, "comparison"))
    assert table[5][3] == "-" and table[5][-1] == "may be noise"
    assert "nan" not in section(found, "comparison").text()


def test_runs_of_other_cases_stand_for_themselves(model_run, page):
    folder = model_run()
    other = shutil.copytree(folder, folder.with_name("half__nnUNetPlans__2d"))
    shutil.rmtree(other / "fold_1")
    found = page(folder, other)
    assert "The runs share no cases" in section(found, "comparison").text()
    assert len(rows(section(found, "run-2-cases"))) == 5


def test_many_values_leave_dice(model_run, page, monkeypatch):
    monkeypatch.setattr(case_rows, "MOST_CELLS", 40)
    found = section(page(model_run()), "run-1-cases")
    assert rows(found)[0][2:] == ["mean Dice", "disc Dice", "cup Dice", "disc pixels", "cup pixels"]
    assert "too many values" in found.text()


def test_the_command_that_makes_it_again(model_run, page):
    folder = model_run("two words__nnUNetPlans__2d")
    found = page(folder, folds=[1], metrics=["hd95"], most=3)
    text = section(found, "again").text()
    assert f"vit_cli report '{folder}' -o " in text
    assert "--folds 1 --metrics hd95 --worst 3" in text
    metrics = {row[1] for row in rows(section(found, "run-1-metrics"))[1:]}
    assert metrics == {"Dice", "HD95 (px)"}


def test_a_report_is_replaced_and_nothing_else(model_run, page, tmp_path):
    folder = model_run()
    page(folder), page(folder)
    tag = '<meta name="generator" content="nnunet-vit report">'
    for mine in ("<p>mine</p>", "# nnunet-vit report", tag, "<!doctype html>nnunet-vit report"):
        (tmp_path / "page.html").write_text(mine)
        with pytest.raises(ConfigError, match=r"is a file that vit_cli report did not write"):
            page(folder)
        assert (tmp_path / "page.html").read_text() == mine
    for output in (tmp_path, tmp_path / "none/page.html"):
        with pytest.raises(ConfigError, match="--output"):
            write_report(ReportRequest([folder], output), Progress())


def test_a_class_in_no_mask_is_named_beside_the_mean(model_run, page):
    labels = {"background": 0, "disc": 1, "cup": 2, "drusen": 3}
    found = section(page(model_run(labels=labels)), "run-1-summary").text()
    assert "mean Dice of the classes without drusen: in no mask" in found


def test_wrong_options_are_told_first(model_run, page, tmp_path, monkeypatch):
    folder = model_run()
    with pytest.raises(ConfigError, match=r"--images .* is not a folder"):
        page(folder, images=tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=r"empty holds no image of any case, such as eye_\d_0000"):
        page(folder, images=tmp_path / "empty")
    with pytest.raises(ConfigError, match="dise"):
        page(folder, metrics=["dise"])
    with pytest.raises(ConfigError, match="finds no patient"):
        page(folder, patients="^(P[0-9]+)")
    with pytest.raises(DataError, match="missing"):
        page(tmp_path / "none")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nnunet_vit.files.writing.sync_file", full)
    with pytest.raises(MachineError, match="cannot be written: No space left"):
        page(folder)
    assert not list(tmp_path.glob("*page.html*"))


def test_one_run_may_know_the_images_for_all(model_run, page, monkeypatch):
    folder, other = model_run(), model_run("other__nnUNetPlans__2d", shift=1)
    truth = folder.parent / "gt_segmentations"
    shutil.copytree(folder.parent / "raw/Dataset005_Eyes/labelsTr", truth)
    monkeypatch.delenv("nnUNet_raw")
    (folder / "fold_0/run.yaml").write_text(f"paths: {{raw: {folder.parent / 'raw'}}}\n")
    found = page(folder, other, references=truth)
    assert len(list(section(found, "run-2-pictures").all("img"))) == 32
