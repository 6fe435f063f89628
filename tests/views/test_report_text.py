"""Nothing that a run wrote moves a cursor, colours or turns other text once the page is looked at, wherever it stands."""

from report_pages import a_run, data_of, job, page_of

from hydra_callback_kit.journal.errors import JobError
from hydra_callback_kit.journal.printable import printable

EVIL = "\x1b[31mred\x07\x9b\u202eturned\x85\u2028\x0c\r"


def test_all_texts_of_the_page_are_printable() -> None:
    """Headlines, tracebacks, overrides, names of metrics and workers, as HTML and as data of the script; others stay."""
    error = JobError("ValueError", EVIL, f"Traceback:\n  {EVIL}\n")
    jobs = [job(num, f"x={EVIL}{num}", 'y=\\\\u001b😀"é', value={EVIL: num, "b": -num}, start_s=num) for num in range(4)]
    jobs.append(job(4, "x=4", f"z={EVIL}", status="FAILED", error=error, host=EVIL, start_s=9))
    page = page_of(a_run(*jobs, facts={"job_name": EVIL, "aborted": EVIL}), average_over=("x",))
    assert printable(page) == page
    assert "\\x1b[31mred" in page

    def texts(value: object) -> list[str]:
        if isinstance(value, dict):
            return [text for pair in value.items() for each in pair for text in texts(each)]
        return [text for each in value for text in texts(each)] if isinstance(value, list) else [str(value)]

    assert all(printable(text) == text for text in texts(data_of(page)))
    assert "y=\\\\u001b😀" in page
    assert any("\\x1b[31mred" in text for text in texts(data_of(page)))


def test_what_data_say_stays() -> None:
    """Characters beyond ASCII, backslashes and line breaks."""
    said = ["\\u001b", "😀é", 'a"b', "two\\nlines", "C:\\new"]
    page = page_of(a_run(*(job(num, f"x={text}", value=num) for num, text in enumerate(said))))
    assert data_of(page)["overrides"][0]["texts"] == said
