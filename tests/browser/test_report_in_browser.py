"""The page in Chromium, offline: what no parser can tell.

Without Chromium or Playwright these are skipped, unless NNUNET_VIT_BROWSER=required is set, as
`make test-browser` does.
"""

import os
import shutil

import pytest
from nnunet_folders import nnunet_folders, one_thread
from report_runs import model_run

from nnunet_vit.evaluation.reporting.build_report import ReportRequest, write_report
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.browser
__all__ = ["model_run", "nnunet_folders", "one_thread"]
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
REQUIRED = os.environ.get("NNUNET_VIT_BROWSER") == "required"
SERIOUS = {"serious", "critical"}
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
CASES = tuple(f"eye_{number}" for number in range(12))


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM and not REQUIRED:
        pytest.skip("no Chromium: apt-get install chromium")
    if not REQUIRED:
        pytest.importorskip("playwright", reason="pip install -e '.[browser]'")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        found = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def opened(browser, model_run, tmp_path):
    """`opened(viewport)` shows a page of two runs; it ends with no error and no request."""
    runs = [
        model_run(cases=CASES, probabilities=True),
        model_run("other__nnUNetPlans__2d", cases=CASES, shift=1),
    ]
    contexts, told = [], []

    def show(viewport=DESKTOP, scheme="light", script=True, several=False):
        output = tmp_path / "page.html"
        write_report(ReportRequest(runs if several else runs[:1], output), Progress())
        context = browser.new_context(
            viewport=viewport, color_scheme=scheme, offline=True, java_script_enabled=script
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: told.append(message.text))
        page.on("pageerror", lambda error: told.append(str(error)))
        page.on("request", lambda request: told.append(request.url))
        page.goto(output.as_uri())
        told[:] = [url for url in told if url != output.as_uri() and not url.startswith("data:")]
        return page

    yield show
    for context in contexts:
        context.close()
    assert told == []


def names(page):
    rows = page.locator("table.cases tbody tr:visible th")
    return [name.strip() for name in rows.all_inner_texts()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_axe_finds_nothing_serious_and_nothing_is_cut_off(opened, viewport, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = opened(viewport, scheme, several=True)
    for details in page.locator("summary").all():
        details.click()
    found = Axe().run(page).response
    assert len(found["passes"]) > 20
    assert [one["id"] for one in found["violations"] if one["impact"] in SERIOUS] == []
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= viewport["width"]


def test_a_header_sorts_by_the_keyboard(opened):
    page = opened()
    head = page.locator("table.cases thead th", has_text="mean Dice")
    button = head.locator("button")
    button.focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    assert names(page)[:2] == ["eye_10", "eye_11"]
    page.keyboard.press("Space")
    assert head.get_attribute("aria-sort") == "descending"
    assert set(names(page)[:2]) == {"eye_0", "eye_1"}
    page.locator("table.cases thead th", has_text="Case").locator("button").press("Enter")
    assert head.get_attribute("aria-sort") == "none"
    assert names(page) == list(CASES)  # eye_2 before eye_10


def test_filters_count_what_they_leave(opened):
    page = opened()
    status = page.locator("section [role=status]")
    assert status.inner_text() == "12 of 12 cases"
    page.get_by_label("Find a case").fill("_1")
    assert names(page) == ["eye_1", "eye_10", "eye_11"]
    page.get_by_label("Mean Dice at most").fill("0.9")
    assert names(page) == ["eye_10", "eye_11"]
    assert status.inner_text() == "2 of 12 cases"


def test_the_metric_that_is_chosen_is_shown(opened):
    page = opened()
    heads = page.locator("table.cases thead th:visible")
    shown = ["Case", "Fold", "mean Dice", "disc Dice", "cup Dice"]
    assert [text.strip() for text in heads.all_inner_texts()] == shown
    page.get_by_label("Values").select_option(label="HD95")
    assert "disc HD95" in " ".join(heads.all_inner_texts())
    assert heads.count() == 5


def test_the_whole_page_can_be_walked_by_tab(opened):
    page = opened()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    seen = set()
    for _ in range(80):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.tagName"))
    assert {"A", "BUTTON", "INPUT", "SELECT", "DIV", "SUMMARY"} <= seen


def test_the_theme_is_chosen(opened):
    page = opened(scheme="light")
    colour = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(colour)
    for words in ("Theme: light", "Theme: dark"):
        page.locator("#theme").press("Enter")
        assert page.locator("#theme").inner_text() == words
    assert page.evaluate(colour) != light


def test_without_scripts_the_table_is_whole(opened):
    page = opened(script=False)
    assert len(names(page)) == 12
    assert page.locator("table.cases thead th:visible").count() > 15
    assert page.locator("button:visible").count() == 0


def test_every_picture_is_one(opened):
    page = opened()
    page.evaluate("Promise.all([...document.images].map(image => image.decode()))")
    assert page.evaluate("[...document.images].map(image => image.naturalWidth)") == [300] * 48
