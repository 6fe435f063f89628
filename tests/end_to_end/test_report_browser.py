"""The report in a real browser: run with `-m browser`, with the extra `browser`, chromium and its driver."""

import json
import math
import os
import random
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from hydra_callback_kit.journal import metric_points
from hydra_callback_kit.journal.errors import JobError
from hydra_callback_kit.journal.identity import JobIdentity, RunIdentity
from hydra_callback_kit.journal.metric_points import Point, metrics_of
from hydra_callback_kit.journal.records import AttemptRecord, JobRecord, RunRecord
from hydra_callback_kit.journal.writer import write_line
from hydra_callback_kit.views.report.choice import ReportOptions
from hydra_callback_kit.views.report.page import write_report

pytestmark = pytest.mark.browser

HOSTILE = "</script><script>window.hacked=1</script><img src=x onerror=window.hacked=1><b>\"'&{{ 7*7 }}😀"
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1440,900"),
)


DIFFERENT_BYTES = """
const canvas = document.querySelector('#parallel canvas');
return new Set(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data).size
"""


class Browser:
    """A headless chromium that shows reports."""

    def __init__(self, profile: Path) -> None:
        from selenium import webdriver  # noqa: PLC0415  an extra
        from selenium.webdriver.chrome.service import Service  # noqa: PLC0415  the same

        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium") or pytest.fail("chromium is not installed")
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        driver = shutil.which("chromedriver") or pytest.fail("chromedriver is not installed (Debian: chromium-driver)")
        self.driver = webdriver.Chrome(options=options, service=Service(driver, env={**os.environ, "NO_PROXY": "*"}))

    def open(self, file: Path, width: int = 1440, theme: str = "light") -> None:
        """Shows a report and waits until its plots are drawn."""
        self.show(width, theme)
        self.driver.get(file.as_uri())
        self.wait('return document.documentElement.dataset.plots === "drawn" || !document.scripts.length')

    def show(self, width: int, theme: str) -> None:
        """Sets the window's width and the colours that the reader prefers."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        features = [{"name": "prefers-color-scheme", "value": theme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def ask(self, script: str, *arguments: Any) -> Any:
        """Runs a script on the page."""
        return self.driver.execute_script(script, *arguments)

    def wait(self, script: str) -> None:
        """Waits until a script says yes."""
        from selenium.webdriver.support.ui import WebDriverWait  # noqa: PLC0415  the same

        WebDriverWait(self.driver, 60, 0.05).until(lambda driver: driver.execute_script(script))

    def find(self, selector: str) -> Any:
        """The first element of a selector."""
        return self.driver.find_element("css selector", selector)

    def column(self, name: str) -> list[str]:
        """The texts of a column of the table."""
        heads = [head.text for head in self.driver.find_elements("css selector", "#jobs th")]
        cells = "return [...document.querySelectorAll(arguments[0])].map((cell) => cell.textContent)"
        place = [re.sub(r"\s*[↕↑↓]\s*", "", head) for head in heads].index(name) + 1
        return self.ask(cells, f"#jobs tbody td:nth-child({place})")

    def head(self, name: str) -> Any:
        """The button in a column's head."""
        return self.driver.find_element("xpath", f"//*[@id='jobs']//th/button[text()='{name}']")

    def complaints(self) -> list[str]:
        """What the console says, and the addresses that were asked for besides the page itself."""
        console = [entry["message"] for entry in self.driver.get_log("browser")]
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        asked = [event["params"] for event in events if event["method"] == "Network.requestWillBeSent"]
        urls = [one["request"]["url"] for one in asked if one["documentURL"].startswith("file:")]
        return console + [url for url in urls if not re.match(r"file:.*/(\w+\.html|plotly\.min\.js)$|data:", url)]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One for all tests: each opens its own page."""
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.driver.quit()


def job(num: int, *overrides: str, value: Any = None, status: str = "COMPLETED", **more: Any) -> JobRecord:
    """A job's record; job `num` starts in second `num`."""
    started = f"2026-01-01T{num // 3600:02d}:{num // 60 % 60:02d}:{num % 60:02d}+00:00"
    defaults = {"root": Path("/sweep"), "subdir": str(num), "host": "node", "pid": num % 3, "duration_s": 2.5}
    return JobRecord(num, status, overrides, value, started_at=started, **{**defaults, **more})


def written(directory: Path, *jobs: JobRecord, name: str = "report.html", mode: str = "MULTIRUN", **options: Any) -> Path:
    """The report of a sweep."""
    run = RunRecord("20260101T000000-aa", Path("/sweep"), mode, "FAILED", jobs, facts={"job_name": "train"})
    write_report(directory / name, run, ReportOptions(**options))
    return directory / name


def sweep(tmp_path: Path) -> list[JobRecord]:
    """48 jobs over a logarithmic and a linear number, a category and a seed; some failed, some were interrupted."""
    samples = "time,elapsed_s,cpu_percent,memory_bytes\n" + "".join(
        f",{i},{50 + i % 7},{1e9 + i * 1e6}\n" for i in range(50)
    )
    (tmp_path / "resources.csv").write_text(samples, "ascii")
    used = {"peak_memory_bytes": 2_000_000_000, "peak_cpu_percent": 90.0, "file": str(tmp_path / "resources.csv")}
    jobs = []
    for num in range(48):
        rate, depth, model = 10.0 ** (num % 4 - 4), num // 4 % 3 + 1, "ab"[num // 12 % 2]
        overrides = [f"optim.lr={rate}", f"depth={depth}", f"model={model}", f"seed={num // 24}"]
        value = {"acc": 0.5 + num / 100, "loss": rate, "nan": math.nan, "huge": math.inf if num % 2 else 1.0}
        error = JobError("ValueError", f"boom {num}", "Traceback (most recent call last):\n  boom")
        if num % 10 == 9:
            jobs.append(job(num, *overrides, status="FAILED", error=error))
        elif num == 5:
            jobs.append(job(num, *overrides, status="INTERRUPTED", duration_s=None))
        else:
            jobs.append(job(num, *overrides, value=value, facts={"resources": used} if num % 2 else {}))
    return jobs


def reporting(root: Path, num: int, *overrides: str, steps: int, names: Sequence[str] = ("val/loss",)) -> JobRecord:
    """A job that reported metrics while it ran."""
    points = [Point("", step, {name: math.exp(-step * (num + 1) / steps) for name in names}) for step in range(steps)]
    directory = root / str(num)
    directory.mkdir(parents=True)
    lines = [metric_points.line("a/0/0", *point) for point in points]
    (directory / metric_points.NAME).write_bytes(metric_points.head("20260101T000000-aa") + b"".join(lines))
    more = {"metrics": metrics_of(points), "metrics_file": metric_points.NAME, "reported_by": ("a/0/0",)}
    return job(num, *overrides, root=root, **more)


@pytest.mark.parametrize("plotly_js", ["inline", "directory"])
def test_it_loads_without_errors_and_without_network(browser: Browser, tmp_path: Path, plotly_js: str) -> None:
    """Light and dark, wide and narrow: nothing in the console, nothing asked for, all plots there, nothing too wide."""
    page = written(tmp_path, *sweep(tmp_path), plotly_js=plotly_js)
    for width, theme in ((1440, "light"), (390, "dark")):
        browser.open(page, width, theme)
        assert browser.complaints() == []
        titles = browser.ask(
            "return [...document.querySelectorAll('.js-plotly-plot')].map((e) => e.getAttribute('aria-label'))"
        )
        assert sorted(title or "" for title in titles) == [
            "",  # the bars of the timeline
            "",  # jobs at once
            "CPU over time",
            "Mean acc for each optim.lr and depth",
            "Memory over time",
            "Peak CPU of each job",
            "Peak memory of each job",
            *(f"acc against {name}" for name in ("depth", "model", "optim.lr", "seed")),
        ]
        assert browser.ask("return [...document.querySelectorAll('.js-plotly-plot svg.main-svg')].length") >= len(titles)
        assert browser.ask(DIFFERENT_BYTES) > 10  # something is drawn there
        assert browser.ask("return document.documentElement.scrollWidth") <= width
        assert browser.ask("return document.querySelectorAll('.modebar, .js-link-to-tool').length") == 0
    assert browser.ask("return document.querySelector('[aria-label=\"acc against optim.lr\"]').layout.xaxis.type") == "log"


def test_the_plots_follow_the_colours_and_the_metric(browser: Browser, tmp_path: Path) -> None:
    """Dark turned on while it is open, another metric chosen: drawn anew, and nothing complains."""
    browser.open(written(tmp_path, *sweep(tmp_path)))
    text = "return document.querySelector('#bars').layout.font.color"
    light = browser.ask(text)
    browser.show(1440, "dark")
    browser.wait(f"{text} !== {json.dumps(light)}")
    from selenium.webdriver.support.ui import Select  # noqa: PLC0415  an extra

    Select(browser.find("#metric")).select_by_visible_text("loss")
    browser.wait("return document.querySelector('#effects [aria-label=\"loss against optim.lr\"].js-plotly-plot')")
    assert browser.find("#effects figure b").text == "optim.lr"  # it explains all of it, and failed jobs leave gaps
    assert browser.find("#effects figure .share").text == "explains 98 %"
    assert "loss" in browser.find("#parallel-words").text
    assert browser.complaints() == []


def test_the_best_job_shows_once(browser: Browser, tmp_path: Path) -> None:
    """As a star, where its dot would be, and not as both."""
    browser.open(written(tmp_path, *sweep(tmp_path)))
    for override in ("model", "depth"):
        figure = f"document.querySelector('[aria-label=\"acc against {override}\"]')"
        shown = f"{figure}.data.filter((trace) => trace.mode === 'markers').flatMap((trace) => [...trace.text])"
        texts = browser.ask(f"return {shown}")
        assert len(texts) == len(set(texts)) == 43
        assert sum(text.startswith("job 47 ") for text in texts) == 1


def test_the_table_is_sorted_and_filtered(browser: Browser, tmp_path: Path) -> None:
    """By mouse: the best first, then by a click on a head, both ways, what has no value last; by text and by status."""
    browser.open(written(tmp_path, *sweep(tmp_path)))
    assert browser.column("acc")[0] == "0.9700"
    assert browser.find("th[aria-sort=descending]").text.startswith("acc")
    browser.head("job").click()
    assert browser.column("job") == [str(num) for num in range(25)]
    browser.head("loss").click()
    assert browser.column("loss")[0] == "0.1"
    browser.head("loss").click()
    assert browser.column("loss")[0] == "0.0001"
    browser.find("#next").click()
    assert browser.column("status")[-1] == "failed"
    assert browser.find("#page").text == "26 to 48 of 48"
    browser.find("#filter").send_keys("model=b LR=0.01")
    assert set(browser.column("model")) == {"b"}
    assert browser.find("#matching").text == "6 of 48 jobs"
    browser.find("#filter").clear()
    browser.find("#filter").send_keys("boom")
    assert browser.column("status") == ["failed"] * 4
    browser.find("button.status.failed").click()
    assert browser.find("#jobs tbody").text == "No job matches."
    assert browser.find("button.status.failed").get_attribute("aria-pressed") == "false"
    browser.find("#filter").clear()
    browser.find("#filter").send_keys("nothing")
    browser.ask(
        "document.querySelector('#filter').value = ''; document.querySelector('#filter').dispatchEvent(new Event('input'))"
    )
    assert browser.find("#matching").text == "44 of 48 jobs"
    first = browser.column("job")[0]
    assert browser.ask("return document.querySelector('#jobs tbody a').href") == Path(f"/sweep/{first}").as_uri() + "/"


def test_the_keyboard_is_enough(browser: Browser, tmp_path: Path) -> None:
    """Tab reaches the sections, the filter, each head and the pages; Enter and Space do what a click does; focus shows."""
    from selenium.webdriver.common.action_chains import ActionChains  # noqa: PLC0415  an extra
    from selenium.webdriver.common.keys import Keys  # noqa: PLC0415  the same

    browser.open(written(tmp_path, *sweep(tmp_path)))
    named = "const e = document.activeElement; return e.id || e.textContent.trim() || e.getAttribute('aria-label')"
    reached = []
    while "next" not in reached:
        ActionChains(browser.driver).send_keys(Keys.TAB).perform()
        reached.append(browser.ask(named))
        assert browser.ask("return getComputedStyle(document.activeElement).outlineStyle") != "none", reached[-1]
        if reached[-1] == "depth":
            ActionChains(browser.driver).send_keys(Keys.ENTER).perform()
            assert set(browser.column("depth")) == {"3", "2"}
            ActionChains(browser.driver).send_keys(Keys.SPACE).perform()
            assert set(browser.column("depth")) == {"1", "2"}
        assert len(reached) < 200
    heads = ["job", "status", "optim.lr", "depth", "model", "seed", "acc", "loss", "huge", "took", "error"]
    assert reached[:4] == ["Skip to the summary", "Summary", "Results", "What matters"]
    assert [name for name in reached if name in heads] == heads
    ActionChains(browser.driver).send_keys(Keys.ENTER).perform()
    assert browser.find("#page").text == "26 to 48 of 48"


def test_a_range_marked_in_the_plot_narrows_the_table(browser: Browser, tmp_path: Path) -> None:
    """A drag along the last axis, which is the metric's, and the button that takes it back; the arrow keys and Escape."""
    from selenium.webdriver.common.action_chains import ActionChains  # noqa: PLC0415  an extra
    from selenium.webdriver.common.keys import Keys  # noqa: PLC0415  the same

    browser.open(written(tmp_path, *sweep(tmp_path)))
    axis = browser.driver.find_elements("css selector", "#parallel .handle")[-1]
    browser.ask("arguments[0].scrollIntoView({block: 'center'})", axis)
    middle = axis.size["height"] // 2
    ActionChains(browser.driver).move_to_element(axis).click_and_hold().move_by_offset(0, -middle).release().perform()
    assert 0 < len(browser.column("acc")) < 25
    assert min(map(float, browser.column("acc"))) >= 0.73
    assert browser.find("#matching").text.endswith("in the ranges marked in the plot")
    browser.find("#clear-brushes").click()
    assert browser.find("#matching").text == "48 jobs"
    browser.ask("document.querySelectorAll('#parallel .handle')[0].focus()")
    ActionChains(browser.driver).send_keys(Keys.ARROW_UP).perform()
    assert set(browser.column("optim.lr")) == {"0.1"}
    ActionChains(browser.driver).send_keys(*[Keys.ARROW_DOWN] * 10).perform()
    assert set(browser.column("optim.lr")) == {"0.001"}
    ActionChains(browser.driver).send_keys(Keys.ESCAPE).perform()
    assert browser.find("#matching").text == "48 jobs"


def test_the_parallel_axes_can_be_read(browser: Browser, tmp_path: Path) -> None:
    """No line goes through a label; on a phone the metric's axis is on the screen, and what has no room is named."""
    page = written(tmp_path, *sweep(tmp_path))
    for width in (1440, 390):
        browser.open(page, width)
        labels = browser.ask(
            """
            const svg = document.querySelector('#parallel svg');
            return [...svg.querySelectorAll('text:not(.title)')].map((label) => {
              const [text, ground] = [label, label.previousSibling].map((each) => each.getBoundingClientRect());
              return [label.previousSibling.getAttribute('class'), ground.left <= text.left && text.right <= ground.right,
                      0 <= text.left && text.right <= window.innerWidth];
            });
            """
        )
        assert len(labels) > 10
        assert all(label == ["ground", True, True] for label in labels)
        titles = browser.ask("return [...document.querySelectorAll('#parallel .title')].map((e) => e.lastChild.textContent)")
        assert titles[-1] == "acc"
        last = "const box = [...document.querySelectorAll('#parallel .handle')].at(-1).getBoundingClientRect()"
        left, right = browser.ask(f"{last}; return [box.left, box.right]")
        assert 0 < left < right <= width
        assert (len(titles) == 6) == (browser.find("#parallel-more").text == ""), width
    assert titles == ["optim.lr", "depth", "model", "acc"]
    assert browser.find("#parallel-more").text == "There is no room here for seed, loss."


def test_the_timeline_folds_a_night_and_shows_what_has_no_end(browser: Browser, tmp_path: Path) -> None:
    """The jobs of both days have room; an interrupted job's bar is wide enough to be seen, fades, and covers no other."""
    jobs = sweep(tmp_path)
    for one in jobs[24:]:
        one.started_at = str(one.started_at).replace("2026-01-01T00", "2026-01-02T09")
    browser.open(written(tmp_path, *jobs))
    assert "Nothing is known to have run for 1 d 8 h at the dashed line" in browser.find("#timeline figcaption").text
    assert "A bar that fades has no end that is known." in browser.find("#timeline figcaption").text
    bars = browser.ask(
        """
        const plot = document.querySelector('#bars');
        const { _length: wide, range: [from, to] } = plot._fullLayout.xaxis;
        const pixels = wide / (to - from);
        return plot.data.flatMap(({ x, y, base, opacity }) =>
          x.map((long, i) => [y[i], base[i] * pixels, long * pixels, opacity ?? 1]));
        """
    )
    fading = sorted(bar for bar in bars if bar[3] < 1)
    assert [opacity for *_, opacity in fading] == [0.9, 0.5, 0.2]
    assert sum(wide for _, _, wide, _ in fading) > 20
    assert min(wide for _, _, wide, opacity in bars if opacity == 1) > 20
    end = sum(fading[-1][1:3])
    assert min(begin for row, begin, *_ in bars if row == fading[0][0] and begin > fading[-1][1]) >= end - 0.01
    for plot in ("#bars", "#at-once"):
        shapes, ticks = browser.ask(
            f"const {{ shapes, xaxis }} = document.querySelector('{plot}').layout; return [shapes, xaxis.ticktext]"
        )
        assert len(shapes) == 1
        assert ticks[0] == "0"
        assert "+0" in ticks
    assert browser.complaints() == []


@pytest.mark.parametrize("title", [None, HOSTILE])
def test_a_hostile_value_runs_no_script(browser: Browser, tmp_path: Path, title: str | None) -> None:
    """In overrides, metrics, errors, hosts and the title; also when plots tell what the pointer is at."""
    error = JobError(HOSTILE, HOSTILE, HOSTILE)
    jobs = [
        job(num, f"x={HOSTILE if num % 2 else 'y'}", f"k{HOSTILE}={num}", value={HOSTILE: num / 2}, host=HOSTILE)
        for num in range(6)
    ]
    jobs.append(job(6, f"x={HOSTILE}", status="FAILED", error=error, subdir="javascript:window.hacked=1"))
    browser.open(written(tmp_path, *jobs, title=title))
    browser.ask(
        """
        for (const plot of document.querySelectorAll('.js-plotly-plot')) {
          plot.scrollIntoView();
          plot.data.forEach((_, curve) => window.Plotly.Fx.hover(plot, [{curveNumber: curve, pointNumber: 0}]));
        }
        """
    )
    browser.wait("return document.querySelector('.hoverlayer .hovertext')")
    assert browser.ask("return [typeof window.hacked, document.images.length, document.querySelectorAll('b').length]") == [
        "undefined",
        0,
        browser.ask("return document.querySelectorAll('figcaption b').length"),
    ]
    assert browser.ask("return document.querySelectorAll('.hoverlayer a, .hoverlayer [style*=bold]').length") == 0
    assert HOSTILE in browser.column("x")
    assert browser.find("#failures pre").get_attribute("textContent") == HOSTILE
    assert browser.find("h1").text == (title or "train")
    assert browser.complaints() == []


def test_what_there_may_be(browser: Browser, tmp_path: Path) -> None:
    """One job, a single run, everything failed, only NaN, one value each, nothing returned: no error, no empty plot."""
    error = JobError("E", "e", "t")
    pages = {
        "one": written(tmp_path, job(0, "x=1", value=1.0), name="one.html"),
        "single": written(tmp_path, job(0, "x=1", value={"a": math.nan}), name="single.html", mode="RUN"),
        "failed": written(tmp_path, *(job(i, f"x={i}", status="FAILED", error=error) for i in range(3)), name="failed.html"),
        "nan": written(tmp_path, *(job(i, f"x={i}", value=math.nan) for i in range(3)), name="nan.html"),
        "nothing": written(tmp_path, *(job(i, f"x={i}") for i in range(3)), name="nothing.html"),
        "mixed": written(
            tmp_path,
            *(
                job(i, f"x={x}", value={"a": v})
                for i, (x, v) in enumerate([("1", 1.0), ("null", math.nan), ("b", math.inf), ("inf", 2.0)])
            ),
            name="mixed.html",
        ),
    }
    plots = {}
    for name, page in pages.items():
        browser.open(page)
        assert browser.complaints() == [], name
        plots[name] = browser.ask("return document.querySelectorAll('.js-plotly-plot').length")
        assert browser.ask("return [...document.querySelectorAll('.plot')].every((e) => e.data && e.data.length)"), name
    assert plots == {"one": 0, "single": 0, "failed": 2, "nan": 2, "nothing": 2, "mixed": 3}


def test_the_spread_of_settings_is_drawn(browser: Browser, tmp_path: Path) -> None:
    """The best on top: a dot a seed, means with their errors; by another figure it is marked, too; names are text."""
    jobs = [
        job(4 * place + seed, f"x={name}", f"seed={seed}", value={"acc": 0.1 * place + seed / 100})
        for place, name in enumerate(("1", HOSTILE, "3"))
        for seed in range(4)
    ]
    traces = "return document.querySelector('#settings-plot').data.map((trace) => [...trace.x])"
    browser.open(written(tmp_path, *jobs, average_over=("seed",)))
    dots, means = browser.ask(traces)
    assert means == pytest.approx([0.215, 0.115, 0.015])
    assert (len(dots), max(dots[:4])) == (12, 0.23)
    errors = browser.ask("return [...document.querySelector('#settings-plot').data[1].error_x.array]")
    assert errors == pytest.approx([0.00645497] * 3)
    assert browser.ask("return document.querySelectorAll('#settings-plot svg.main-svg').length") > 0
    browser.open(written(tmp_path, *jobs, average_over=("seed",), rank_by="min"), 390, "dark")
    assert browser.ask(traces)[2] == pytest.approx([0.2, 0.1, 0.0])
    assert browser.ask("return document.documentElement.scrollWidth") <= 390
    assert browser.ask("return typeof window.hacked") == "undefined"
    assert browser.complaints() == []


def test_the_page_of_a_single_run_is_readable_everywhere(browser: Browser, tmp_path: Path) -> None:
    """Light and dark, wide and narrow: curves in the page's colours, nothing too wide, the log's end first; it prints."""
    one = reporting(tmp_path, 0, "x=1", steps=5_000, names=["val/loss", HOSTILE])
    one.job_name = "app"
    (tmp_path / "0" / "app.log").write_text("\n".join(f"line {num}" for num in range(90)), "ascii")
    page = written(tmp_path, one, mode="RUN")
    assert page.stat().st_size < 100_000
    colours = []
    for width, theme in ((1440, "light"), (390, "dark")):
        browser.open(page, width, theme)
        assert browser.ask("return document.documentElement.scrollWidth") <= width
        boxes = "return [...document.querySelectorAll('.chart .line path')].map((e) => e.getBoundingClientRect().width)"
        assert [wide > 200 for wide in browser.ask(boxes)] == [True, True]
        outside = (
            "return [...document.querySelectorAll('.chart span')].filter((e) => e.getBoundingClientRect().left < 0).length"
        )
        assert browser.ask(outside) == 0
        shown = """
        const [log, text] = ['.log', '.log pre'].map((of) => document.querySelector(of).getBoundingClientRect());
        return [text.bottom - log.bottom, text.height - log.height];
        """
        below, hidden = browser.ask(shown)
        assert abs(below) < 3
        assert hidden > 100
        colours.append(browser.ask("return getComputedStyle(document.querySelector('.chart .line path')).stroke"))
    assert colours[0] != colours[1]
    assert len(browser.driver.execute_cdp_cmd("Page.printToPDF", {})["data"]) > 10_000
    assert browser.complaints() == []


def test_what_jobs_reported_is_drawn_in_the_colours_of_an_override(browser: Browser, tmp_path: Path) -> None:
    """A line a job, in a figure a metric; another override gives other colours; a name that is hostile is text."""
    names = ("val/loss", HOSTILE)
    jobs = [
        reporting(tmp_path, num, f"lr={10.0**-num}", f"model={'ab'[num % 2]}", steps=50, names=names) for num in range(4)
    ]
    browser.open(written(tmp_path, *jobs))
    figure = '[aria-label="val/loss by step"].js-plotly-plot'
    lines = f"return document.querySelector({figure!r}).data.map((line) => [line.x?.length, line.line.color])"
    by_rate = browser.ask(lines)
    assert [points for points, _ in by_rate] == [50] * 4
    assert len({colour for _, colour in by_rate}) == 4
    assert browser.ask("return document.querySelectorAll('#courses-figures .js-plotly-plot').length") == 2
    from selenium.webdriver.support.ui import Select  # noqa: PLC0415  an extra

    Select(browser.find("#course-colour")).select_by_visible_text("model")
    colours = f"document.querySelector({figure!r}).data.map((line) => line.line.color)"
    browser.wait(f"return new Set({colours}).size === 2")
    assert browser.ask("return typeof window.hacked") == "undefined"
    assert browser.complaints() == []


def test_the_front_of_two_objectives_is_marked(browser: Browser, tmp_path: Path) -> None:
    """Its jobs are a line of their own, the others are dots."""
    jobs = [job(num, f"x={num}", value=[num % 4, -(num // 4)]) for num in range(12)]
    run = RunRecord(
        "20260101T000000-aa", Path("/sweep"), "MULTIRUN", "COMPLETED", tuple(jobs), facts={"directions": ["min", "max"]}
    )
    write_report(tmp_path / "front.html", run, ReportOptions())
    browser.open(tmp_path / "front.html")
    others, front = browser.ask(
        "return document.querySelector('#front-plot').data.map((trace) => [[...trace.x], [...trace.y]])"
    )
    assert front == [[0], [0]]
    assert len(others[0]) == 11
    assert browser.complaints() == []


def test_settings_have_bands_and_their_single_curves_can_be_chosen(browser: Browser, tmp_path: Path) -> None:
    """A line and its area for each; with the jobs, or the jobs alone; coloured by an override; text is text."""
    from selenium.webdriver.support.ui import Select  # noqa: PLC0415  an extra

    jobs = [reporting(tmp_path, num, f"m={HOSTILE if num < 3 else 'b'}", f"seed={num % 3}", steps=30) for num in range(6)]
    for one in jobs:
        one.return_value = {"acc": one.job_num / 10}
    browser.open(written(tmp_path, *jobs, average_over=("seed",)))
    figure = '[aria-label="val/loss by step"].js-plotly-plot'
    traces = f"document.querySelector({figure!r}).data"
    fills = f"return {traces}.map((trace) => trace.fill ?? '')"
    assert browser.ask(fills) == ["toself", "", "toself", ""]
    assert browser.ask(f"return {traces}[0].x.length") == 60
    mean = browser.ask(f"return {traces}[1].y[29]")
    assert mean == pytest.approx(sum(math.exp(-29 * (num + 1) / 30) for num in (3, 4, 5)) / 3, rel=1e-4)
    Select(browser.find("#course-show")).select_by_visible_text("settings and jobs")
    browser.wait(f"return {traces}.length === 10")
    Select(browser.find("#course-show")).select_by_visible_text("jobs")
    browser.wait(f"return {traces}.length === 6")
    Select(browser.find("#course-show")).select_by_visible_text("settings")
    Select(browser.find("#course-colour")).select_by_visible_text("m")
    browser.wait(f"return {traces}.length === 4")
    assert browser.ask("return typeof window.hacked") == "undefined"
    assert browser.complaints() == []


def test_the_curves_of_a_hundred_jobs(browser: Browser, tmp_path: Path) -> None:
    """Three megabytes more at most, however many steps they had, and all of it is drawn."""
    without = written(tmp_path, *(job(num, f"x={num}", value=num / 2) for num in range(100)), name="without.html")
    page = written(tmp_path, *(reporting(tmp_path, num, f"x={num}", steps=2_000) for num in range(100)))
    assert page.stat().st_size - without.stat().st_size < 3_000_000
    browser.open(page)
    assert browser.ask("return document.querySelector('#courses-figures .js-plotly-plot').data.length") == 100
    assert browser.complaints() == []


def test_ten_thousand_jobs(browser: Browser, tmp_path: Path) -> None:
    """They open, are drawn, sorted and filtered, with few elements on the page, in a file below 8 MB."""
    chance = random.Random(1)  # noqa: S311  no secret
    jobs = [
        job(
            num,
            f"lr={10 ** chance.uniform(-5, -1)}",
            f"depth={num % 7}",
            f"m={'abc'[num % 3]}",
            value={"acc": chance.random()},
        )
        for num in range(10_000)
    ]
    page = written(tmp_path, *jobs)
    assert page.stat().st_size < 8_000_000
    browser.open(page)
    browser.head("lr").click()
    largest = max(float(one.task_overrides[0].partition("=")[2]) for one in jobs)
    assert float(browser.column("lr")[0]) == pytest.approx(largest, rel=1e-5)
    browser.find("#filter").send_keys("m=a depth=3")
    assert browser.find("#matching").text == f"{sum(num % 21 == 3 for num in range(10_000))} of 10,000 jobs"
    assert browser.ask("return document.querySelectorAll('*').length") < 20_000
    assert browser.complaints() == []


def test_it_prints(browser: Browser, tmp_path: Path) -> None:
    """Dark text on white whatever the reader prefers, for the paper's width; more rows, no controls; a PDF comes out."""
    colours = "return [document.querySelector('#bars').layout.font.color, getComputedStyle(document.body).color]"
    page = written(tmp_path, *sweep(tmp_path))
    browser.open(page)
    light = browser.ask(colours)
    browser.open(page, theme="dark")
    dark = browser.ask(colours)
    assert dark[0] != light[0]
    browser.ask("window.dispatchEvent(new Event('beforeprint'))")
    assert browser.ask(colours) == light
    assert len(browser.column("job")) == 48
    assert browser.ask("return document.querySelector('#bars').layout.width") < 1000
    browser.ask("window.dispatchEvent(new Event('afterprint'))")
    assert browser.ask(colours) == dark
    assert len(browser.column("job")) == 25
    assert len(browser.driver.execute_cdp_cmd("Page.printToPDF", {})["data"]) > 50_000
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert browser.ask("return getComputedStyle(document.querySelector('.controls')).display") == "none"
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert browser.complaints() == []


def test_without_scripts_the_summary_and_the_first_rows_are_there(browser: Browser, tmp_path: Path) -> None:
    """A plain table; what scripts would draw is not announced."""
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.driver.get(written(tmp_path, *(job(i, f"x={i}", value=i / 2) for i in range(60))).as_uri())
        assert "60 jobs" in browser.find("#summary").text
        assert len(browser.driver.find_elements("css selector", "#results noscript tbody tr")) == 50
        assert "The first 50 jobs." in browser.find("#results").text
        assert not browser.find("#matters").is_displayed()
        assert not browser.find("#filter").is_displayed()
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_a_failed_job_with_the_best_value_is_not_the_best(browser: Browser, tmp_path: Path) -> None:
    """It comes after those that completed, has no star, and is marked as failed."""
    metrics = metrics_of([Point("", 0, {"acc": 0.99})])
    jobs = [job(num, f"x={num % 3}", "m=" + "ab"[num % 2], value={"acc": num / 10}) for num in range(9)]
    jobs.append(job(9, "x=1", "m=b", status="FAILED", metrics=metrics, error=JobError("ValueError", "boom", "")))
    browser.open(written(tmp_path, *jobs))
    assert browser.column("job") == ["8", "7", "6", "5", "4", "3", "2", "1", "0", "9"]
    for override in ("x", "m"):
        figure = f"document.querySelector('[aria-label=\"acc against {override}\"]')"
        traces = browser.ask(f"return {figure}.data.map((t) => [t.type, t.marker?.symbol ?? '', [...t.y]])")
        assert [y for _, symbol, y in traces if symbol == "star"] == [[0.8]]
        assert [y for _, symbol, y in traces if symbol == "x"] == [[0.99]]
        assert all(0.99 not in y for _, symbol, y in traces if symbol != "x")
    assert browser.complaints() == []


def test_nothing_is_wider_than_a_phone(browser: Browser, tmp_path: Path) -> None:
    """What does not fit scrolls in a box of its own: the page does not."""
    identity = RunIdentity("20260101T000000-aa", tmp_path, "MULTIRUN")
    write_line(identity, "run_facts", {"config": {"optim": {"lr": 0}}}, None)
    jobs = []
    for num in range(12):
        at = JobIdentity(identity, num, str(num), os.getpid(), str(num), "app", (), tmp_path / str(num))
        write_line(identity, "job_facts", {"config": {"optim": {"lr": num // 3 + 1}}}, at)
        given = (f"optim.lr={num // 3 + 1}", f"name={'w' * 60}{num // 3}", f"seed={num % 3}")
        jobs.append(job(num, *given, value=[num / 10, num / 7], root=tmp_path))
    run = RunRecord(identity.run_id, tmp_path, "MULTIRUN", "COMPLETED", tuple(jobs), facts={"directions": ["min", "max"]})
    of_settings = ReportOptions(metric="return_value.0", average_over=("seed",))
    for options in (of_settings, ReportOptions(metric="return_value.0"), ReportOptions()):
        write_report(tmp_path / "phone.html", run, options)
        browser.open(tmp_path / "phone.html", width=390)
        assert browser.ask("return document.documentElement.scrollWidth") <= 390
        summaries = browser.ask("return [...document.querySelectorAll('#config summary')].map((one) => one.textContent)")
        assert all("what differs" in words for words in summaries)
        assert bool(summaries) is (options.metric is not None)


def test_the_axis_below_a_single_setting_can_be_read(browser: Browser, tmp_path: Path) -> None:
    """Its title stands below its numbers, inside of the figure."""
    jobs = [job(num, "lr=1", f"seed={num}", value={"acc": 0.9 + num / 100}) for num in range(3)]
    browser.open(written(tmp_path, *jobs, average_over=("seed",)))
    bottom = (
        "return Math.max(...[...document.querySelectorAll(arguments[0])].map((one) => one.getBoundingClientRect().bottom))"
    )
    top = bottom.replace("bottom", "top")
    assert browser.ask(top, "#settings-plot .xtitle") >= browser.ask(bottom, "#settings-plot .xtick text") - 1
    assert browser.ask(bottom, "#settings-plot .xtitle") <= browser.ask(bottom, "#settings-plot .main-svg") + 1


def test_an_earlier_attempt_has_a_bar_of_its_own(browser: Browser, tmp_path: Path) -> None:
    """Below the workers, and it says what it was."""
    before = AttemptRecord("FAILED", started_at="2026-01-01T00:00:01+00:00", duration_s=1.5)
    browser.open(written(tmp_path, job(0, "x=0", value=1.0), job(4, "x=1", value=2.0, earlier=(before,))))
    bars = browser.ask(
        "return document.querySelector('#bars').data.flatMap((trace) => trace.text.map((text, i) => [trace.y[i], text]))"
    )
    assert bars[-1] == [2, "job 4, an earlier attempt: failed<br>took 1.5 s"]
    assert browser.find("#statuses-key .failed").text == "failed"
    assert browser.complaints() == []
