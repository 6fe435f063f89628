"""End to end: a file of the user's that has the name of one of ours is kept."""

import pytest
from apps import App

CONFIG = """
defaults:
  - callbacks: [performance_callback, results_aggregator_callback, thread_safe_callback, provenance_callback]
  - _self_
hydra: {callbacks: {thread_safe_callback: {output_file: jobs.json}}}
x: 0
"""


@pytest.mark.parametrize("name", ["performance.json", "results.json", "jobs.json"])
def test_what_the_job_wrote_is_kept(app: App, name: str) -> None:
    """A single run's job writes where we write, too: its file gets another name, and the log says which."""
    app.write(f'open(os.path.join("out", "{name}"), "w").write("mine")', CONFIG)
    done = app.run()
    assert (done.root / f"{name}.bak").read_text("utf-8") == "mine"
    assert f"{name} was not written by hydra-callback-kit: it is kept as {done.root / name}.bak" in done.stdout
    assert done.json(name)


def test_what_lay_there_is_kept_and_what_was_ours_is_not(app: App) -> None:
    """The run's directory is used again: only files of strangers are set aside."""
    app.write("return 1", CONFIG)
    (app.directory / "out").mkdir()
    strangers = ("provenance.json", "git.patch", "config_resolved.yaml", "performance.json")
    for name in strangers:
        (app.directory / "out" / name).write_text("mine", "utf-8")
    assert app.run().stdout.count("it is kept as") == len(strangers)
    again = app.run()
    assert "it is kept as" not in again.stdout
    assert {file.name for file in again.root.glob("*.bak*")} == {f"{name}.bak" for name in strangers}
    assert not (again.root / "git.patch").exists()
