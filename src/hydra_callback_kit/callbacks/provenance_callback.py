"""`provenance_callback`: what is needed to repeat a run: the commit and the patch, the command, the packages, the config."""

import contextlib
import logging
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any, Final

from omegaconf import DictConfig

from hydra_callback_kit.configs.app_config import app_config
from hydra_callback_kit.configs.identity import identify_run
from hydra_callback_kit.configs.in_the_job import resolved_as_in_the_job
from hydra_callback_kit.configs.known_secrets import redaction_of
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.configs.redaction import Redaction
from hydra_callback_kit.hooks.abort import abort
from hydra_callback_kit.hooks.facts import add_run_facts
from hydra_callback_kit.hooks.own_files import remove_own_file, write_own_file
from hydra_callback_kit.hooks.parameters import ParameterError
from hydra_callback_kit.hooks.recording import RecordingCallback
from hydra_callback_kit.hooks.same_files import OwnFile
from hydra_callback_kit.journal.batch_job import batch_job
from hydra_callback_kit.journal.command_line import app_words, command_line
from hydra_callback_kit.journal.identity import RunIdentity
from hydra_callback_kit.journal.rank import rank_of_this_process
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.provenance.git import Git, GitError
from hydra_callback_kit.provenance.rank_launcher import rank_launcher
from hydra_callback_kit.provenance.surroundings import environment_variables, source_directory, surroundings
from hydra_callback_kit.provenance.work_tree import Names, Patch, WorkTree, read_patch, read_work_tree
from hydra_callback_kit.views.files import json_text
from hydra_callback_kit.views.yaml_text import config_text

log = SafeLogger("hydra_callback_kit.provenance_callback")

_PATCH: Final = "git.patch"


class ProvenanceCallback(RecordingCallback):
    """Writes down what is needed to repeat a run, once per run or sweep and before its first job starts.

    Git is asked about the repository of the script or module that was started; for an installed program (a command, or a
    module in `site-packages`) about the repository of the directory it was started in. Nothing in the repository is
    changed. Where git cannot tell (no git, no repository, a repository that git refuses to read, no answer in time) the log
    and `provenance.json` say why, and the rest is written.

    A work tree is dirty when a tracked file differs from the commit, staged or not. Untracked files do not make it dirty;
    they are named, a directory of nothing else by its own name.

    The patch holds the source as it is, but for what is secret in the config. Values of secret keys are redacted in the rest
    (see `RedactionCallback`), and so are environment variables with such names.

    Args:
        require_clean: whether to stop the run, before anything is written, when the work tree is dirty, or when that cannot
            be known. Untracked files are named in a warning.
        environment: names of environment variables to record; `*` stands for any characters (`SLURM_*`).
        max_patch_bytes: the largest patch to write, in bytes; 0 for none. A larger one is cut between two files, and changed
            files that are larger than this are left out; the patch itself and `provenance.json` say so.
        git_timeout_s: how long git may take, in seconds; the run waits for it.

    Raises:
        ParameterError: if `environment` is not a list of names, `max_patch_bytes` is negative, or `git_timeout_s` is not
            more than 0.
        AbortRun: from the start hooks, with `require_clean`.

    Files:
        `provenance.json` (JSON) in the run's output directory or in the sweep directory: `run_id`, `started_at` (UTC),
        `command` (with `torchrun --nproc-per-node 2` or the like before the app where that can be known), `world_size` (how
        many processes that has started as one job; null for one), `cwd`, `git` (null, or `work_tree`, `commit`, `branch`,
        `remote` without credentials, `dirty`, `changed` and `untracked` (the first 1,000 names each), `changed_count`,
        `untracked_count`, `patch` (the file's name, or null) and `patch_cut`), `notes`, `python_version`,
        `python_implementation`, `python_executable`, `platform`, `host`, `user`, `cpu_count`, `hydra_version`,
        `omegaconf_version`, `packages` (versions by name, the name as package indexes spell it), `batch` (null, or what
        Slurm says of the job that the process is in: `job`, `node_list`, `partition`, `gpus`, ...; what it says of each job
        of a sweep is in the record) and `environment`.
        `git.patch` beside it when the work tree is dirty: `git apply` at the top of the work tree, with `commit` checked
        out, makes the tracked files what they were, binary ones included.
        `config_resolved.yaml` beside it: the app's config, interpolations resolved and secrets redacted; of a sweep the
        config that its jobs' overrides are applied to, where what only a job can resolve (`${hydra:...}`) stays as written.
        So does what only a resolver of the app's can tell, which is not called for it; the first line names such keys.
        `.callbacks/*.jsonl` in the same directory: the journal (JSON lines), with the run's fact `git`.

    Example:
        ```yaml
        defaults:
          - callbacks: [provenance_callback]
          - _self_

        hydra:
          callbacks:
            provenance_callback:
              environment: [CUDA_VISIBLE_DEVICES, SLURM_*]
        ```
    """

    def __init__(
        self,
        require_clean: bool = False,
        environment: Sequence[str] = (),
        max_patch_bytes: int = 10_000_000,
        git_timeout_s: float = 10.0,
    ) -> None:
        self.require_clean = require_clean
        if isinstance(environment, str) or not all(str(name).strip() for name in environment):
            advice = "Write for example environment=[CUDA_VISIBLE_DEVICES]."
            raise ParameterError("environment", environment, "a list of names of environment variables", advice)
        self.environment = [str(name) for name in environment]
        if max_patch_bytes < 0:
            raise ParameterError("max_patch_bytes", max_patch_bytes, "0 or more", "Write max_patch_bytes=0 for no patch.")
        self.max_patch_bytes = max_patch_bytes
        if not git_timeout_s > 0:
            raise ParameterError("git_timeout_s", git_timeout_s, "more than 0", "Write git_timeout_s=10.")
        self.git_timeout_s = git_timeout_s

    @property
    def fails_closed(self) -> bool:  # type: ignore[override]  # a plain attribute elsewhere
        """Where the work tree has to be clean, nothing starts before that is known."""
        return self.require_clean

    def files_it_writes(self) -> Sequence[OwnFile]:
        """What is needed to repeat the run."""
        return [OwnFile(name) for name in ("provenance.json", "config_resolved.yaml", _PATCH)]

    def before_the_run(self, config: DictConfig) -> None:
        """Stops the run if the work tree has to be clean and is not."""
        if self.require_clean and "clean" not in notes_of(config):
            notes_of(config)["clean"] = "asked"
            tree, _, problem = self._ask_git(source_directory(config.hydra.runtime.cwd))
            _stop_unless_clean(config, tree, problem)

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Writes the files."""
        self._start(config)

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Writes the files."""
        self._start(config)

    def _start(self, config: DictConfig) -> None:
        run = identify_run(config)
        if not run.rerun and not run.goes_on:  # what it was started from stays on record
            tree, patch, problem = self._ask_git(source_directory(config.hydra.runtime.cwd))
            self._write(config, run, tree, patch, ([problem] if problem else []) + list(patch.notes))

    def _ask_git(self, directory: str) -> tuple[WorkTree | None, Patch, str]:
        """The work tree, the patch, and what git could not tell."""
        try:
            with Git(directory, self.git_timeout_s) as git:
                tree = read_work_tree(git, self.max_patch_bytes)
                wanted = self.max_patch_bytes > 0 and not self.require_clean
                patch = read_patch(git, tree, self.max_patch_bytes) if wanted and tree.dirty and tree.commit else Patch(b"")
                return tree, patch, tree.problem
        except GitError as error:
            log.log(logging.INFO if error.absent else logging.WARNING, "Provenance without git: %s", error.reason)
            return None, Patch(b""), error.reason
        except OSError as error:  # no place for temporary files, say
            log.warning("Provenance without git: it cannot be asked: %s", error)
            return None, Patch(b""), f"git cannot be asked: {error}"

    def _write(
        self, config: DictConfig, run: RunIdentity, tree: WorkTree | None, patch: Patch, notes: Sequence[str]
    ) -> None:
        redaction = redaction_of(config)
        if tree is not None:
            facts = {"commit": tree.commit, "branch": tree.branch, "dirty": tree.dirty, "remote": tree.remote}
            add_run_facts({"git": facts}, config)
            notes_of(config)["commit"] = tree.commit  # for the jobs
        if patch.content:
            content = redaction.of_text(patch.content.decode("utf-8", "surrogateescape"))
            write_own_file(config, _PATCH, content.encode("utf-8", "surrogateescape"), log)
        else:
            remove_own_file(config, _PATCH)
        batch = batch_job()
        provenance = {
            "run_id": run.run_id,
            "started_at": datetime.now(timezone.utc).isoformat(timespec="microseconds"),
            **_started_with(redaction),
            "cwd": config.hydra.runtime.cwd,
            "git": None if tree is None else _described(tree, patch),
            "notes": list(notes),
            **surroundings(),
            "batch": batch and batch.facts(),
            "environment": environment_variables(self.environment, redaction),
        }
        file = write_own_file(config, "provenance.json", json_text(redaction.of_texts(provenance)), log)
        # what a sweep's jobs resolve to differs from job to job
        with resolved_as_in_the_job(config) if run.mode == "RUN" else contextlib.nullcontext():
            write_own_file(config, "config_resolved.yaml", config_text(*app_config(config)), log)
        if tree is not None:
            log.info("Provenance: %s: %s", _in_words(tree), file)
            for note in notes:
                log.warning("Provenance: %s", note)


def _started_with(redaction: Redaction) -> dict[str, Any]:
    """The command as it was typed, as far as that can be known, and how many processes it has started as one job."""
    command, rank = command_line(), rank_of_this_process()
    launcher = [] if rank is None else rank_launcher(command)
    words = [*launcher, *app_words(command.program), *command.arguments] if launcher else command.words
    return {"command": redaction.of_command(words), "world_size": rank and rank.size}


def _described(tree: WorkTree, patch: Patch) -> dict[str, Any]:
    return {
        "work_tree": tree.path,
        "commit": tree.commit,
        "branch": tree.branch,
        "remote": tree.remote,
        "dirty": tree.dirty,
        "changed": tree.changed and tree.changed.first,
        "changed_count": tree.changed and tree.changed.count,
        "untracked": tree.untracked and tree.untracked.first,
        "untracked_count": tree.untracked and tree.untracked.count,
        "patch": _PATCH if patch.content else None,
        "patch_cut": patch.cut,
    }


def _in_words(tree: WorkTree) -> str:
    words = [f"commit {tree.commit[:12]}" if tree.commit else "no commit", f"on {tree.branch}" if tree.branch else ""]
    if tree.changed is not None and tree.changed.count:
        words.append(f"with {tree.changed.count} changed {'file' if tree.changed.count == 1 else 'files'}")
    return " ".join(filter(None, words))


def _stop_unless_clean(config: DictConfig, tree: WorkTree | None, problem: str) -> None:
    way_out = "or run all the same with hydra.callbacks.provenance_callback.require_clean=false."
    if tree is None or tree.dirty is None or tree.commit is None:
        message = f"it cannot be known whether the work tree is clean: {problem}.\nMake git able to tell, {way_out}"
    elif tree.changed is not None and tree.changed.count:
        message = f"files in {tree.path} differ from its commit:\n{_listed(tree.changed)}\nCommit them, {way_out}"
    else:
        if tree.untracked is not None and tree.untracked.count:
            log.warning("The work tree is clean, but files in it are in no commit:\n%s", _listed(tree.untracked))
        return
    abort(config, f"The run was not started: require_clean is true, and {message}", log=log)


def _listed(names: Names) -> str:
    more = [f"  and {names.count - 10} more"] if names.count > 10 else []  # noqa: PLR2004  as many as are listed
    return "\n".join([f"  {name}" for name in names.first[:10]] + more)
