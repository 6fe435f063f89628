"""The git work tree that an app's source lies in: which commit, what was changed since, and the patch that says so."""

import os
import re
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from hydra_callback_kit.provenance.git import Git, GitCommand, GitError

MAX_NAMES: Final = 1_000
"""So many names of changed files, and of untracked ones, are kept; all of them are counted."""

_MAX_LEFT_OUT: Final = 100
"""With more files that are too large for a patch than this there is none: the command line of git has an end, too."""

_STATUS: Final = ("status", "--porcelain=v2", "-z", "--untracked-files=normal", "--ignore-submodules=untracked")

_DIFF: Final = (
    *("diff", "--binary", "--full-index", "--find-renames", "--unified=3", "--inter-hunk-context=0"),
    *("--no-color", "--no-ext-diff", "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/"),
    *("--submodule=short", "--ignore-submodules=dirty", "HEAD", "--", ":(top)"),
)


class Names:
    """The names of some files: the first of them, and how many there are.

    Attributes:
        first: at most `MAX_NAMES` paths, relative to the top of the work tree; a directory ends in `/`.
        count: how many there are.
    """

    def __init__(self) -> None:
        self.first: list[str] = []
        self.count = 0

    def add(self, path: bytes) -> None:
        """Counts a path as git gives it, and keeps it if there is room."""
        self.count += 1
        if len(self.first) < MAX_NAMES:
            self.first.append(path.decode("utf-8", "backslashreplace"))


@dataclass
class WorkTree:
    """What git says of a work tree.

    Attributes:
        path: its top directory.
        commit: the full hash of the commit that is checked out; None in a repository without one.
        branch: the branch; None when no branch is checked out.
        remote: the URL that git would fetch from, without credentials; None without a remote.
        changed: tracked files that differ from the commit, staged or not; None if git could not tell.
        untracked: files, and directories of such files, that git neither tracks nor ignores; None if git could not tell.
        in_submodules: submodules with changes inside, which no patch of this work tree holds.
        large: changed files that are larger than a patch may be.
        problem: why git could not tell; empty if it could.
        index: git's index file, which belongs to this work tree.
    """

    path: str
    commit: str | None
    branch: str | None
    remote: str | None = None
    changed: Names | None = None
    untracked: Names | None = None
    in_submodules: Names = field(default_factory=Names)
    large: list[str] = field(default_factory=list)
    problem: str = ""
    index: str = ""

    @property
    def dirty(self) -> bool | None:
        """Whether a tracked file differs from the commit; None if git could not tell."""
        return None if self.changed is None else self.changed.count > 0


class Patch(NamedTuple):
    """The difference between a commit and a work tree.

    Attributes:
        content: what `git apply` takes; empty if there is none.
        notes: what is not in it, and why.
        cut: whether something is not in it.
    """

    content: bytes
    notes: tuple[str, ...] = ()
    cut: bool = False


def read_work_tree(git: Git, max_file_bytes: int) -> WorkTree:
    """Asks git for all but the patch; four short commands at once.

    Args:
        git: git, in the directory whose work tree it is.
        max_file_bytes: changed files of more bytes are large.

    Raises:
        GitError: if there is no git, or no work tree.
    """
    where = git.start("rev-parse", "--show-toplevel", "HEAD", "--symbolic-full-name", "HEAD")
    place = git.start("rev-parse", "--git-path", "index")
    remote = git.start("ls-remote", "--get-url")  # a question to the configuration, not to the remote
    status = git.start(*_STATUS)
    tree = _identity(git, where)
    index = os.fsdecode(place.read(100_000)).removesuffix("\n")
    git.end(place)
    tree.index = os.path.join(git.directory, index)  # noqa: PTH118  it may be absolute
    try:
        url = remote.read(10_000).decode("utf-8", "backslashreplace").strip()
        git.end(remote)
        tree.remote = without_credentials(url)
    except GitError:
        pass  # there is no remote
    try:
        _read_status(git, status, tree, max_file_bytes)
    except GitError as error:
        tree.changed = tree.untracked = None
        tree.problem = error.reason
    return tree


def read_patch(git: Git, tree: WorkTree, max_bytes: int) -> Patch:
    """Asks git for the difference between the commit and the work tree, what is staged included.

    Args:
        git: git, in the directory whose work tree it is.
        tree: what it said of it.
        max_bytes: the patch is cut between two files before it is larger than this.
    """
    notes = []
    if tree.in_submodules.count:
        notes.append(f"git.patch does not hold the changes inside submodules: {', '.join(tree.in_submodules.first[:10])}")
    if tree.large:
        names = ", ".join(_readable(path) for path in tree.large[:10])
        more = f" and {len(tree.large) - 10} more" if len(tree.large) > 10 else ""  # noqa: PLR2004  as many as named
        notes.append(f"git.patch does not hold files of more than {max_bytes} bytes (max_patch_bytes): {names}{more}")
    if len(tree.large) > _MAX_LEFT_OUT:
        return Patch(b"", tuple(notes), cut=True)
    try:
        content = _diff(git, tree, max_bytes + 1)
        if len(content) > max_bytes:
            content = content[: content.rfind(b"\ndiff --git ", 0, max_bytes + 1) + 1]
            notes.append(
                f"the diff is larger than {max_bytes} bytes (max_patch_bytes): git.patch "
                + ("was cut, and holds its first files" if content else "was not written")
            )
    except GitError as error:
        return Patch(b"", (*notes, error.reason), cut=True)
    if notes and content:  # `git apply` passes by what comes before the first file
        content = "".join(f"# {note}\n" for note in notes).encode() + content
    return Patch(content, tuple(notes), cut=bool(notes))


def _diff(git: Git, tree: WorkTree, limit: int) -> bytes:
    """So many bytes of the difference, from a copy of the index.

    Where only the time of a file has changed, `git diff` writes the index anew, locks or not.
    """
    with tempfile.TemporaryDirectory() as directory:
        try:
            # with its time: what was changed at the moment that the index was written is looked at closely
            copied = shutil.copy2(tree.index, Path(directory) / "index")
        except OSError as error:
            raise GitError(f"the index cannot be read: {error}") from error
        left_out = (f":(top,exclude,literal){path}" for path in tree.large)
        diff = git.start(*_DIFF, *left_out, GIT_INDEX_FILE=str(copied))
        content = diff.read(limit)
        if len(content) == limit:
            diff.stop()
        else:
            git.end(diff)
        return content


def without_credentials(url: str) -> str:
    """Returns a remote's URL without user, password and token; the user of `ssh://git@host` and `git@host:path` stays."""
    given = re.fullmatch(r"(?P<scheme>[A-Za-z][\w+.:-]*)://(?:(?P<user>[^/]*)@)?(?P<rest>.*)", url, re.DOTALL)
    if given is None:
        return url
    user = (given["user"] or "").partition(":")[0]
    rest = re.split("[?#]", given["rest"])[0] if "http" in given["scheme"].lower() else given["rest"]  # `?access_token=`
    return f"{given['scheme']}://{user + '@' if user and 'ssh' in given['scheme'].lower() else ''}{rest}"


def _identity(git: Git, where: GitCommand) -> WorkTree:
    """Also of a repository without commits, where the command fails after the first line."""
    lines = os.fsdecode(where.read(100_000)).splitlines()
    try:
        git.end(where)
    except GitError:
        if not lines:
            raise
        return WorkTree(lines[0], None, None, problem="the repository has no commit yet")
    *path, commit, reference = lines
    branch = reference.removeprefix("refs/heads/") if reference.startswith("refs/heads/") else None
    return WorkTree("\n".join(path), commit, branch)


def _read_status(git: Git, status: GitCommand, tree: WorkTree, max_file_bytes: int) -> None:
    changed, untracked = Names(), Names()
    records = status.records()
    for record in records:
        kind, _, rest = record.partition(b" ")
        if kind == b"?":
            untracked.add(rest)
            continue
        if kind not in _FIELDS:
            continue
        _, submodule, *_, path = rest.split(b" ", _FIELDS[kind])
        if kind == b"2":  # a rename, which is not asked for, has a second path
            next(records, b"")
        changed.add(path)
        if submodule[:1] == b"S":
            if submodule[2:3] == b"M":
                tree.in_submodules.add(path)
        elif _size(os.path.join(os.fsencode(tree.path), path)) > max_file_bytes:  # noqa: PTH118  bytes have no Path
            tree.large.append(os.fsdecode(path))
    git.end(status)
    tree.changed, tree.untracked = changed, untracked


_FIELDS: Final = {b"1": 7, b"2": 8, b"u": 9}
"""The kinds of lines that speak of tracked files, and how many words come before the path."""


def _size(path: bytes) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0


def _readable(path: str) -> str:
    return os.fsencode(path).decode("utf-8", "backslashreplace")
