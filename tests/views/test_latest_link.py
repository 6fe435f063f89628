"""Where the link to the latest run lies, and how it gets there."""

import os
import threading
import warnings
from pathlib import Path

import pytest
from hook_calls import config_of, pickled
from hydra.core.utils import setup_globals
from intruders import INTRUDERS, looked_at
from omegaconf import DictConfig, OmegaConf

from hydra_callback_kit.callbacks.latest_run_callback import LatestRunCallback
from hydra_callback_kit.configs.identity import identify_run
from hydra_callback_kit.hooks.parameters import ParameterError
from hydra_callback_kit.views.latest_link import link_directory, put_link


def config_in(directory: Path, run_dir: str, mode: str = "RUN", **app: object) -> DictConfig:
    """The config of a run that was started in a directory."""
    setup_globals()
    config = config_of(directory, app, mode)
    config.hydra.run.dir = config.hydra.sweep.dir = run_dir
    return config


def names_in(directory: Path) -> list[str]:
    """What lies in a directory."""
    return sorted(entry.name for entry in directory.iterdir())


@pytest.mark.parametrize("mode", ["RUN", "MULTIRUN"])
@pytest.mark.parametrize(
    ("run_dir", "expected"),
    [
        ("outputs/${now:%Y-%m-%d}/${now:%H-%M-%S}", "outputs"),
        ("outputs/${now:%Y/%m/%d}/x", "outputs"),
        ("outputs/exp_${now:%Y-%m-%d}_${name}/run", "outputs"),
        ("${logs}/${name}/runs/${now:%H-%M-%S}", "a/b/train/runs"),
        ("${dated}/${name}", "a/b"),
        ("${now:%Y}", "."),
        ("out/${name}", "out"),
        ("out", "."),
        ("out/../elsewhere/${now:%Y}", "elsewhere"),
        ("out/${now:%Y}/../always", "out"),
        ("out/${strict:${now:%Y}}", "out"),
    ],
)
def test_it_lies_where_the_path_begins_to_change(tmp_path: Path, run_dir: str, mode: str, expected: str) -> None:
    """Above the first part that comes from the time, through any interpolation; without one, beside the directory."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # OmegaConf 2.4 has another name for it
        OmegaConf.register_new_resolver("strict", lambda year: int(year) and year, replace=True)
    config = config_in(tmp_path, run_dir, mode, logs="a/b", name="train", dated="${logs}/${now:%Y-%m-%d}")
    run = identify_run(config)
    assert link_directory(config, run) == Path(os.path.normpath(tmp_path / expected))
    assert identify_run(OmegaConf.create(pickled(config))) == run
    assert config.hydra.run.dir == config.hydra.sweep.dir  # the time is what it was
    assert "~" not in config.hydra.run.dir


def test_another_run_takes_the_links_place(tmp_path: Path) -> None:
    """It is relative, and nothing else is left there."""
    for name in ("one", "two"):
        (tmp_path / "day" / name / ".callbacks").mkdir(parents=True)
        assert put_link(tmp_path / "latest", tmp_path / "day" / name, never_told) == tmp_path / "latest"
        assert os.readlink(tmp_path / "latest") == os.path.join("day", name)  # noqa: PTH115, PTH118  as written
    assert names_in(tmp_path) == ["day", "latest"]


def test_a_link_to_a_job_stays_ours_where_a_run_has_begun_in_it(tmp_path: Path) -> None:
    """The job's directory holds a record of its own by then; a link to a run is no job's."""
    for name in ("out/.callbacks", "out/1", "out/2/.callbacks"):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
    for job in ("1", "2", "1"):
        put_link(tmp_path / "best", tmp_path / "out" / job, never_told, of_job=True)
    assert names_in(tmp_path) == ["best", "out"]
    told: list[object] = []
    put_link(tmp_path / "best", tmp_path / "out", lambda *names: told.append(names))
    assert len(told) == 1


def test_where_links_cannot_be_made_a_text_file_says_it(tmp_path: Path) -> None:
    """One line with the relative path."""

    def refuse(target: str, link: Path, target_is_directory: bool) -> None:
        raise OSError(1, "Operation not permitted")

    for name in ("one", "two"):
        (tmp_path / "day" / name / ".callbacks").mkdir(parents=True)
        assert put_link(tmp_path / "latest", tmp_path / "day" / name, never_told, refuse) == tmp_path / "latest.txt"
        assert (tmp_path / "latest.txt").read_text("utf-8") == f"{os.path.join('day', name)}\n"  # noqa: PTH118  as written
    assert names_in(tmp_path) == ["day", "latest.txt"]


def test_of_runs_that_start_at_once_the_link_is_ones(tmp_path: Path) -> None:
    """While they replace it, it always leads somewhere; in the end nothing temporary is left."""
    runs = [tmp_path / str(number) for number in range(8)]
    for run in runs:
        (run / ".callbacks").mkdir(parents=True)
    link = tmp_path / "latest"
    put_link(link, runs[0], never_told)
    broken: list[BaseException | str] = []

    def replace(run: Path) -> None:
        try:
            for _ in range(50):
                put_link(link, run, never_told)
                if not link.is_dir():
                    broken.append("it leads nowhere")
        except BaseException as error:  # noqa: BLE001  it is for the test to say
            broken.append(error)

    threads = [threading.Thread(target=replace, args=[run]) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert broken == []
    assert link.resolve() in runs
    assert names_in(tmp_path) == [*map(str, range(8)), "latest"]


def never_told(place: Path, kept: Path) -> None:
    """Nothing is set aside."""
    pytest.fail(f"{place} is kept as {kept}")


@pytest.mark.parametrize("leads", ["../elsewhere", "/nowhere", "models", "{tmp_path}/run", "latest"])
def test_a_link_that_does_not_lead_to_a_run_is_kept(tmp_path: Path, leads: str, caplog: pytest.LogCaptureFixture) -> None:
    """Ours are relative, and lead below: another one is a person's, and what it leads to is not touched."""
    (tmp_path / "models").mkdir()
    (tmp_path / "run" / ".callbacks").mkdir(parents=True)
    leads = leads.format(tmp_path=tmp_path)
    (tmp_path / "latest").symlink_to(leads)
    LatestRunCallback().on_run_start(config_in(tmp_path, "out"))
    assert os.readlink(tmp_path / "latest") == "out"  # noqa: PTH115  as written
    assert os.readlink(tmp_path / "latest.bak") == leads  # noqa: PTH115  the same
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        f"{tmp_path}/latest is not what hydra-callback-kit wrote: it is kept as {tmp_path}/latest.bak"
    ]
    assert names_in(tmp_path / "models") == []


def test_a_link_to_a_run_that_was_deleted_is_replaced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It leads nowhere any more."""
    (tmp_path / "latest").symlink_to("day/gone")
    LatestRunCallback().on_run_start(config_in(tmp_path, "out"))
    assert names_in(tmp_path) == ["latest", "out"]
    assert [record for record in caplog.records if record.levelname == "WARNING"] == []


@pytest.mark.parametrize("text", ["mine", "run", "run\nmore\n", "models\n", "gone\n", "/\n", "\n", "\0\n", "x" * 100_000])
def test_a_text_file_that_does_not_lead_to_a_run_is_kept(tmp_path: Path, text: str) -> None:
    """Where links cannot be made; one that we wrote is a line, which names the directory of a run."""

    def refuse(*arguments: object, **more: object) -> None:
        raise OSError(1, "Operation not permitted")

    told: list[object] = []
    (tmp_path / "models").mkdir()
    for run in ("run", "new"):
        (tmp_path / run / ".callbacks").mkdir(parents=True)
    (tmp_path / "latest.txt").write_text(text, "utf-8")
    put_link(tmp_path / "latest", tmp_path / "new", lambda *names: told.append(names), refuse)
    assert told == [(tmp_path / "latest.txt", tmp_path / "latest.txt.bak")]
    assert (tmp_path / "latest.txt.bak").read_text("utf-8") == text
    assert (tmp_path / "latest.txt").read_text("utf-8") == "new\n"


@pytest.mark.parametrize("intruder", INTRUDERS)
def test_whatever_lies_in_the_text_files_place_is_kept(tmp_path: Path, intruder: str) -> None:
    """No link is followed, and no pipe is waited for."""

    def refuse(*arguments: object, **more: object) -> None:
        raise OSError(1, "Operation not permitted")

    INTRUDERS[intruder](tmp_path / "latest.txt")
    before = looked_at(tmp_path / "latest.txt")
    put_link(tmp_path / "latest", tmp_path / "new", lambda *names: None, refuse)
    assert looked_at(tmp_path / "latest.txt.bak") == before


@pytest.mark.parametrize("there", ["a file", "a directory", "the run itself"])
def test_what_is_no_link_is_left_as_it_is(tmp_path: Path, there: str, caplog: pytest.LogCaptureFixture) -> None:
    """A warning says so."""
    link = tmp_path / "latest"
    if there == "a file":
        link.write_text("mine", "utf-8")
    elif there == "a directory":
        link.mkdir()
    config = config_in(tmp_path, "latest/1" if there == "the run itself" else "out")
    if there == "the run itself":
        config.hydra.run.dir = str(link)
    LatestRunCallback().on_run_start(config)
    assert not link.is_symlink()
    assert there != "a file" or link.read_text("utf-8") == "mine"
    assert [record.levelname for record in caplog.records] == ["WARNING"]


@pytest.mark.parametrize("run_dir", [".", ".."])
def test_a_run_where_the_app_was_started_has_no_link(tmp_path: Path, run_dir: str) -> None:
    """It would lie above the user's project."""
    (tmp_path / "above" / "project").mkdir(parents=True)
    LatestRunCallback().on_run_start(config_in(tmp_path / "above" / "project", run_dir))
    assert not list(tmp_path.rglob("latest"))


def test_no_link_leads_to_a_directory_that_could_not_be_made(tmp_path: Path) -> None:
    """The journal's error says enough."""
    (tmp_path / "out").write_text("in the way", "utf-8")
    LatestRunCallback().on_run_start(config_in(tmp_path, "out/1"))
    assert names_in(tmp_path) == ["out"]


@pytest.mark.parametrize("name", ["", " ", ".", "..", "a/b", "/latest", "a\0b", None])
def test_a_name_is_one_name(name: str) -> None:
    """Anything else is refused as the callback is built."""
    with pytest.raises(ParameterError) as raised:
        LatestRunCallback(name)
    assert raised.value.parameter == "name"
