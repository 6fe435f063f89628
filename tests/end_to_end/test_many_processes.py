"""A sweep whose jobs have a process each leaves few files behind."""

import json

from apps import App
from click.testing import CliRunner

from hydra_callback_kit.cli.main import main
from hydra_callback_kit.journal.reader import read_run

CONFIG = """
defaults:
  - callbacks: [logging_callback, results_aggregator_callback]
  - _self_
x: 0
"""
FOUR_ARE_MANY = """
from pathlib import Path
import hydra_callback_kit.journal.gathering as gathering
gathering.WORTH_IT = 4
def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
"""
AFTER_THE_OTHERS = """
Path(f"pid-{cfg.x}").write_text(str(os.getpid()))
if cfg.x == 4:
    for _ in range(1200):
        pids = [int(file.read_text() or "1") for file in Path().glob("pid-[0-3]")]
        if len(pids) == 4 and all(map(gone, pids)):
            break
        time.sleep(0.05)
return {"double": 2 * cfg.x}
"""


def test_their_files_are_one_at_the_end(app: App) -> None:
    """The last job's process may still be there; all that looks at the sweep sees what it saw before."""
    app.write(AFTER_THE_OTHERS, CONFIG, FOUR_ARE_MANY)
    done = app.sweep("submitit_local", "x=0,1,2,3,4")
    assert done.code == 0, done.stderr
    files = {file.name.split(".")[1] for file in (done.root / ".callbacks").glob("*.jsonl")}
    assert len(files) in (2, 3)
    assert sum(name.startswith("gathered-") for name in files) == 1
    run = read_run(done.root)
    assert [(job.job_num, job.status, job.return_value) for job in run.jobs] == [
        (x, "COMPLETED", {"double": 2 * x}) for x in range(5)
    ]
    assert len({job.pid for job in run.jobs}) == 5
    assert [row["return_value"]["double"] for row in json.loads((done.root / "results.json").read_text())] == [0, 2, 4, 6, 8]
    assert CliRunner().invoke(main, ["show", str(done.root)]).exit_code == 0
