"""No file and no log of ours holds a secret: every callback on, every place, whatever the job does to it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from apps import App, Finished
from repositories import Repository

GIVEN = "pass'w\\ö rd%7&x"
FROM_ENVIRONMENT = "env-1f2e3d4c"
SET_FOR_JOBS = "jobs-5a6b7c8d"
MADE_LATER = "later-9e8f7a6b"
RETURNED = "mine-0c1d2e3f"
OF_A_FILE = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nBAQEFAASCBKcwggSjAgEAA\n-----END KEY-----\n"
PARTS = ["pass'w", "%7&x", "1f2e3d4c", "5a6b7c8d", "9e8f7a6b", "0c1d2e3f", "MIIEvQIBADANB", "AASCBKcwggSjA"]

IMPORTS = """
import json, shlex, urllib.parse, hydra_callback_kit
class Account:
    def __init__(self, text): self.text = text
    def __repr__(self): return "-" * 190 + self.text
"""
TASK = f"""
given, key = cfg.db.password, cfg.private_key
from_environment = cfg.hub.token
os.environ.pop("HUB_TOKEN")                    # so that nobody reads it once more
forms = [given, repr(given), json.dumps(given), shlex.quote(given), urllib.parse.quote(given, safe=""), key]
everywhere = " ".join([*forms, from_environment, os.environ["API_TOKEN"], *key.split("\\n")])
hydra_callback_kit.add_job_facts({{"seen": everywhere, "long": "-" * 9_990 + given, given: [Account(given)] * 20}})
hydra_callback_kit.add_run_facts({{"seen": forms}})
cfg.db.password = "{MADE_LATER}"
print("done")
if cfg.x == 1:
    raise ValueError(f"no login with {{everywhere}}\\n{{forms}} or {MADE_LATER}") from KeyError(given)
return {{"is": everywhere, "token": "{RETURNED}", "header": "Bearer {RETURNED}", "later": "{MADE_LATER}"}}
"""
CALLBACKS = [
    *("logging_callback", "performance_callback", "results_aggregator_callback", "thread_safe_callback", "report_callback"),
    *("provenance_callback", "progress_callback", "output_guard_callback", "validation_callback", "conditional_callback"),
    *("resource_monitor_callback", "latest_run_callback", "failure_limit_callback"),
]
CONFIG = f"""
defaults:
  - callbacks: [{", ".join(CALLBACKS)}]
  - _self_
x: 0
db:
  password: ???
  url: postgres://me:${{db.password}}@h
hub:
  token: ${{oc.env:HUB_TOKEN}}
private_key: ${{oc.env:PRIVATE_KEY}}
note: ???
hydra:
  job:
    env_set: {{API_TOKEN: {SET_FOR_JOBS}}}
  callbacks:
    logging_callback: {{log_config: true}}
    provenance_callback: {{environment: ["*"]}}
    conditional_callback: {{condition_key: db.password, condition_value: "${{db.password}}"}}
    thread_safe_callback: {{output_file: jobs.json}}
    failure_limit_callback: {{max_failures: 5}}
    results_aggregator_callback: {{output_file: [results.json, results.csv, results.md]}}
"""
OF_HYDRA = ("hydra.yaml", "config.yaml", "overrides.yaml", "multirun.yaml")


def quoted(text: str) -> str:
    """A value as Hydra's grammar wants it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def check(done: Finished) -> None:
    """Looks into everything that lies in the output directory, but for Hydra's own files and the launcher's."""
    files = [
        file
        for file in done.root.rglob("*")
        if file.is_file() and file.name not in OF_HYDRA and ".submitit" not in file.parts
    ]
    assert {"report.html", "results.json", "provenance.json", "jobs.json"} <= {file.name for file in files}
    assert [file for file in files if file.suffix == ".jsonl"]
    for file in files:
        text = file.read_text("utf-8", "replace")
        # Hydra 1.4 writes a failed job's traceback to the job's log itself
        if file.suffix == ".log":
            text = "\n".join(line for line in text.splitlines() if "hydra_callback_kit" in line)
        found = [part for part in PARTS for form in (part, json.dumps(part)[1:-1]) if form in text]
        assert not found, f"{file}: {found}"


@pytest.mark.parametrize("x", ["x=0", "x=1"])
def test_a_single_run(app: App, x: str) -> None:
    """A job that returns it in every form, and one that fails with it."""
    app.write(TASK, CONFIG, IMPORTS)
    done = app.run(
        x,
        f"db.password={quoted(GIVEN)}",
        f"note={quoted(f'see {GIVEN}')}",
        HUB_TOKEN=FROM_ENVIRONMENT,
        PRIVATE_KEY=OF_A_FILE,
    )
    assert "done" in done.stdout
    check(done)


def test_a_sweep(app: App, launcher: str) -> None:
    """In whichever process the jobs run, and what is made of their records."""
    app.write(TASK, CONFIG, IMPORTS)
    done = app.sweep(
        launcher,
        "x=0,1",
        f"db.password={quoted(GIVEN)}",
        f"note={quoted(f'see {GIVEN}')}",
        HUB_TOKEN=FROM_ENVIRONMENT,
        PRIVATE_KEY=OF_A_FILE,
    )
    assert [row["status"] for row in done.json("results.json")] == ["COMPLETED", "FAILED"]
    check(done)


def test_jobs_know_the_secrets_of_their_sweep(app: App, launcher: str) -> None:
    """Those that other jobs were given, and the one of the config that an override replaces."""
    app.write(
        f"return 'first-1111 second-2222 {RETURNED} ' + cfg.db.password",
        f"defaults: [{{callbacks: [logging_callback, results_aggregator_callback]}}, _self_]\ndb: {{password: {RETURNED}}}",
    )
    done = app.sweep(launcher, "db.password=first-1111,second-2222")
    assert [row["return_value"] for row in done.json("results.json")] == [" ".join(["<redacted>"] * 4)] * 2


def test_secrets_that_are_no_texts_in_the_config(app: App) -> None:
    """A path and bytes, as structured configs have them; a title for the report that a secret was put into."""
    preamble = """
    import dataclasses, pathlib
    from hydra.core.config_store import ConfigStore
    @dataclasses.dataclass
    class Vault:
        token: pathlib.Path = pathlib.Path("/vault/path-secret-2")
        password: bytes = b"bytes-secret-1"
    @dataclasses.dataclass
    class Config:
        vault: Vault = dataclasses.field(default_factory=Vault)
        note: str = "see ${vault.token}"
    ConfigStore.instance().store(name="typed", node=Config)
    """
    config = """
    defaults:
      - typed
      - callbacks: [logging_callback, results_aggregator_callback, report_callback]
      - _self_
    hydra:
      callbacks:
        logging_callback: {log_config: true}
        report_callback: {title: "On ${vault.token}", metric: "${vault.token}"}
    """
    app.write(
        "raise RuntimeError(f'{cfg.vault.token} {cfg.vault.password!r} {cfg.vault.password.decode()}')", config, preamble
    )
    done = app.run()
    assert "see <redacted>" in done.log()
    for file in done.root.rglob("*"):
        if file.is_file() and file.name not in OF_HYDRA and file.name != "app.log":
            assert "secret-" not in file.read_text("utf-8", "replace"), file
    assert "secret-" not in "".join(line for line in done.log().splitlines() if "hydra_callback_kit" in line)


def test_a_patch_and_a_remote(app: App) -> None:
    """The source that was changed since the commit, and whatever git says."""
    app.write("pass", "defaults: [{callbacks: [provenance_callback]}, _self_]\ndb: {password: x}")
    repository = Repository.made(app.directory)
    repository.commit()
    (app.directory / "config.yaml").write_text(
        f"defaults: [{{callbacks: [provenance_callback]}}, _self_]\ndb: {{password: {FROM_ENVIRONMENT}}}\n", "utf-8"
    )
    done = app.run()
    assert "git.patch" in {file.name for file in done.root.iterdir()}
    assert FROM_ENVIRONMENT not in (done.root / "git.patch").read_text("utf-8")
    assert FROM_ENVIRONMENT not in (done.root / "provenance.json").read_text("utf-8")


def test_a_directory_that_a_secret_names_is_warned_of(app: App) -> None:
    """At the start of a sweep, with what leaves it out; a name cannot be hidden."""
    app.write("pass", "defaults: [{callbacks: [logging_callback]}, _self_]\nx: 0\ndb: {password: ''}")
    done = app.run("-m", f"db.password={FROM_ENVIRONMENT}", "x=0,1", "hydra.sweep.subdir=${hydra.job.override_dirname}")
    assert done.stdout.count("holds a secret") == 1
    assert "type hydra.job.config.override_dirname.exclude_keys=[db.password]" in done.stdout
    done = app.run(
        *("-m", f"db.password={FROM_ENVIRONMENT}", "x=0,1", "hydra.sweep.subdir=${hydra.job.override_dirname}"),
        *("hydra.job.config.override_dirname.exclude_keys=[db.password]", "hydra.sweep.dir=second"),
    )
    assert "holds a secret" not in done.stdout
    assert {path.name for path in (app.directory / "second").iterdir()} >= {"x=0", "x=1"}
    done = app.run(f"db.password={FROM_ENVIRONMENT}", "hydra.run.dir=by_name/${db.password}")
    assert "hydra.run.dir holds a secret" in done.stdout


def test_a_subclass_says_what_is_secret(app: App) -> None:
    """Also by words that it gives to the class itself."""
    preamble = """
    import hydra_callback_kit
    class Ours(hydra_callback_kit.RedactionCallback):
        def __init__(self):
            super().__init__(keys=["ssn"])
    """
    config = """
    defaults: [{callbacks: [logging_callback]}, _self_]
    ssn: 123-45-6789
    password: shown-here
    hydra: {callbacks: {ours: {_target_: __main__.Ours}, logging_callback: {log_config: true}}}
    """
    app.write("return 'ssn is 123-45-6789'", config, preamble)
    done = app.run()
    assert done.code == 0
    assert "123-45-6789" not in done.log()
    assert "password: shown-here" in done.log()


def test_a_rerun_that_fails_does_not_show_what_was_given(app: App) -> None:
    """The command that failed is named, its secrets hidden; what is printed for a shell holds them."""
    app.write("raise ValueError", "defaults: [{callbacks: [logging_callback]}, _self_]\ndb: {password: ''}")
    app.run("db.password=first-one")
    kit = str(Path(sys.executable).with_name("hydra-callback-kit"))
    command = [kit, "rerun", "out", f"db.password={FROM_ENVIRONMENT}"]
    shown = subprocess.run(command, cwd=app.directory, capture_output=True, text=True, check=True)
    assert FROM_ENVIRONMENT in shown.stdout
    failed = subprocess.run([*command, "--execute"], cwd=app.directory, capture_output=True, text=True, check=False)
    ours = [line for line in failed.stderr.splitlines() if line.startswith("job 0 failed with exit code 1")]
    assert failed.returncode == 1
    assert len(ours) == 1
    assert FROM_ENVIRONMENT not in ours[0]
    unreadable = subprocess.run(
        [*command[:-1], f"db.password=[{FROM_ENVIRONMENT}"], cwd=app.directory, capture_output=True, text=True, check=False
    )
    assert unreadable.returncode == 2
    assert FROM_ENVIRONMENT not in unreadable.stderr
