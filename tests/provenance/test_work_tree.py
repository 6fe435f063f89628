"""What is read of a real repository, in every state that one can be in, and the patch that brings its files back."""

import os
import shutil
import threading
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from repositories import Repository, fake_git

from hydra_callback_kit.provenance.git import Git, GitError
from hydra_callback_kit.provenance.work_tree import (
    MAX_NAMES,
    Patch,
    WorkTree,
    read_patch,
    read_work_tree,
    without_credentials,
)

LARGE = 10_000_000


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository with one commit."""
    repository = Repository.made(tmp_path / "repo", "-b", "trunk")
    repository.commit(**{"a.py": "one\ntwo\n", "b.py": "b\n" * 50, "pkg/c.py": "c\n"})
    return repository


def read(directory: Path, timeout_s: float = 60) -> WorkTree:
    """What is read of the work tree of a directory."""
    with Git(str(directory), timeout_s) as git:
        return read_work_tree(git, LARGE)


def patch_of(directory: Path, limit: int = LARGE) -> Patch:
    """The patch of the work tree of a directory."""
    with Git(str(directory), 60) as git:
        return read_patch(git, read_work_tree(git, limit), limit)


def applied(repository: Repository, content: bytes) -> Repository:
    """A fresh clone of the repository's commit, with a patch applied."""
    other = Repository(repository.directory.parent / "again")
    repository.git("clone", "-q", "--no-local", ".", str(other.directory))
    file = other.directory.parent / "given.patch"
    file.write_bytes(content)
    other.git("apply", "--index", str(file))
    return other


HOSTILE = {
    "color.ui": "always",
    "color.diff": "always",
    "core.pager": "false",
    "diff.context": "0",
    "diff.external": "false",
    "diff.mnemonicPrefix": "true",
    "diff.noprefix": "true",
    "diff.orderFile": "nowhere",
    "diff.relative": "true",
    "diff.renames": "copies",
    "diff.submodule": "log",
    "diff.suppressBlankEmpty": "true",
    "diff.upper.textconv": "tr a-z A-Z <",
    "status.relativePaths": "true",
    "status.showUntrackedFiles": "no",
    "status.short": "true",
    "status.branch": "true",
}


@pytest.mark.parametrize("settings", [{}, HOSTILE], ids=["default settings", "settings that change git's output"])
def test_the_patch_brings_all_tracked_files_back(repository: Repository, settings: dict[str, str]) -> None:
    """Staged, unstaged, new, deleted, renamed, binary, executable, with an odd name: from a subdirectory, all of it."""
    repository.write("image.bin", bytes(range(256)) * 20)
    repository.write("old name.txt", "text\n" * 30)
    repository.write(".gitattributes", "*.py diff=upper\n")
    repository.commit()
    for name, value in settings.items():
        repository.git("config", name, value)
    repository.write("a.py", "one\n\ntwo, staged\n")
    repository.git("add", "a.py")
    repository.write("a.py", "one\n\ntwo, staged, and changed again\r\nno newline at the end")
    repository.write("image.bin", bytes(range(255, -1, -1)) * 20)
    repository.git("mv", "old name.txt", "pkg/new nämé\t.txt")
    repository.git("rm", "-q", "b.py")
    (repository.directory / "pkg" / "c.py").chmod(0o755)
    repository.write("added.py", "new\n")
    repository.git("add", "added.py")
    repository.write("untracked.py", "not in the patch\n")
    patch = patch_of(repository.directory / "pkg")
    assert not patch.cut
    assert applied(repository, patch.content).tracked() == repository.tracked()
    assert b"untracked.py" not in patch.content
    tree = read(repository.directory / "pkg")
    assert tree.dirty
    assert tree.changed is not None
    assert sorted(tree.changed.first) == sorted(
        ["a.py", "added.py", "b.py", "image.bin", "old name.txt", "pkg/c.py", "pkg/new nämé\t.txt"]
    )
    assert tree.untracked is not None
    assert tree.untracked.first == ["untracked.py"]


def test_a_clean_work_tree(repository: Repository) -> None:
    """Commit, branch, remote; untracked files do not make it dirty, and a directory of them has one name."""
    commit = repository.git("rev-parse", "HEAD")
    repository.git("remote", "add", "origin", "https://me:secret@example.com/x.git")
    repository.write("notes 1.txt", "")
    repository.write("data/1.csv", "")
    repository.write("data/2.csv", "")
    tree = read(repository.directory / "pkg")
    assert (tree.path, tree.commit, tree.branch) == (str(repository.directory), commit, "trunk")
    assert tree.remote == "https://example.com/x.git"
    assert tree.dirty is False
    assert tree.untracked is not None
    assert tree.untracked.first == ["data/", "notes 1.txt"]
    assert not tree.problem


def test_the_users_index_is_not_touched(repository: Repository) -> None:
    """A file whose time has changed, not its content, would make git write the index; and no lock is left."""
    index = repository.directory / ".git" / "index"
    os.utime(repository.directory / "a.py", (1_700_000_000, 1_700_000_000))
    before = index.read_bytes()
    assert read(repository.directory).dirty is False
    assert patch_of(repository.directory).content == b""
    assert index.read_bytes() == before
    repository.write("a.py", "changed")
    assert b"+changed" in patch_of(repository.directory / "pkg").content
    assert index.read_bytes() == before
    assert not index.with_name("index.lock").exists()


def test_a_change_at_the_moment_of_the_commit_is_seen(repository: Repository) -> None:
    """Of the same length and at the same time: git looks closely at files that are as young as its index."""
    repository.git("config", "core.trustctime", "false")
    when = 1_700_000_000_000_000_000
    file = repository.write("a.py", "1")
    os.utime(file, ns=(when, when))
    repository.commit()
    index = repository.directory / ".git" / "index"
    file.write_text("2", "utf-8")
    os.utime(file, ns=(when, when))
    os.utime(index, ns=(when, when))
    assert b"+2" in patch_of(repository.directory).content


def test_thousands_of_names_are_counted(repository: Repository) -> None:
    """The first thousand are kept."""
    for number in range(MAX_NAMES + 50):
        repository.write(f"{number}.log", "")
    untracked = read(repository.directory).untracked
    assert untracked is not None
    assert (len(untracked.first), untracked.count) == (MAX_NAMES, MAX_NAMES + 50)


def test_a_patch_is_cut_between_two_files(repository: Repository) -> None:
    """What is there is within the limit and can be applied, and says that something is missing."""
    repository.write("a.py", "changed\n")
    repository.write("b.py", "".join(f"line {number}\n" for number in range(100)))
    whole = patch_of(repository.directory).content
    cut = patch_of(repository.directory, 1_000)
    assert cut.cut
    assert b"max_patch_bytes" in cut.content.splitlines()[0]
    first_file = cut.content[cut.content.index(b"diff --git") :]
    assert whole.startswith(first_file)
    assert len(first_file) <= 1_000 < len(whole)
    assert applied(repository, cut.content).tracked() == {**repository.tracked(), "b.py": b"b\n" * 50}
    assert patch_of(repository.directory, 50) == Patch(b"", cut=True, notes=patch_of(repository.directory, 50).notes)


def test_a_file_larger_than_the_patch_may_be_is_left_out(repository: Repository) -> None:
    """The others are in the patch; names that look like patterns are names."""
    repository.commit(**{"weights *.bin": "1", "weights 1.bin": "1"})
    repository.write("weights *.bin", "2" * 2_000)
    repository.write("weights 1.bin", "2")
    patch = patch_of(repository.directory, 1_000)
    assert patch.cut
    assert "weights *.bin" in patch.notes[0]
    assert applied(repository, patch.content).tracked()["weights 1.bin"] == b"2"
    assert b"weights *.bin b" not in patch.content


def test_a_diff_without_an_end_is_stopped(repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Only so many bytes are read, and git is killed, long before its time is up."""
    repository.write("a.py", "changed\n")
    tree = read(repository.directory)
    monkeypatch.setenv("PATH", fake_git(tmp_path / "bin", "yes 'diff --git a/a.py b/a.py'"))
    with Git(str(repository.directory), 600) as git:
        patch = read_patch(git, tree, 10_000)
    assert patch.cut
    assert 9_000 < len(patch.content) < 10_200


def test_a_git_that_hangs_is_stopped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Also when it is a child of git's that hangs; no thread and no process is left to wait for."""
    monkeypatch.setenv("PATH", fake_git(tmp_path / "bin", "sleep 600 & sleep 600"))
    before = set(threading.enumerate())
    with pytest.raises(GitError, match=r"within 0\.2 s") as raised:
        read(tmp_path, timeout_s=0.2)
    assert not raised.value.absent
    assert set(threading.enumerate()) <= before


def test_a_commit_is_known_although_the_status_hangs(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A work tree too large to look through in time still has a commit; whether it is dirty is not known."""
    real = shutil.which("git")
    script = f'case "$*" in *"status --porcelain"*) sleep 600;; *) exec {real} "$@";; esac'
    monkeypatch.setenv("PATH", fake_git(tmp_path / "bin", script))
    tree = read(repository.directory, timeout_s=2)
    assert tree.commit == repository.git("rev-parse", "HEAD")
    assert (tree.branch, tree.dirty, tree.untracked) == ("trunk", None, None)
    assert "git_timeout_s" in tree.problem


def test_without_git(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """That is how things are, and nothing is wrong."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="git is not installed") as raised:
        read(tmp_path)
    assert raised.value.absent


def test_without_a_repository(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nor is anything wrong there."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(GitError, match="in no git repository") as raised:
        read(tmp_path)
    assert raised.value.absent


def test_a_repository_without_commits(tmp_path: Path) -> None:
    """It has a work tree, what is staged is a change, and there is nothing to make a patch against."""
    repository = Repository.made(tmp_path)
    repository.write("a.py", "")
    repository.git("add", "a.py")
    tree = read(tmp_path)
    assert (tree.path, tree.commit, tree.branch, tree.dirty) == (str(tmp_path), None, None, True)
    assert "no commit" in tree.problem


def test_a_detached_head_and_a_tag_of_the_branchs_name(repository: Repository) -> None:
    """No branch is checked out; a tag does not change a branch's name."""
    repository.git("tag", "trunk")
    assert read(repository.directory).branch == "trunk"
    repository.git("checkout", "-q", "--detach")
    tree = read(repository.directory)
    assert (tree.branch, tree.dirty) == (None, False)
    assert tree.commit == repository.git("rev-parse", "HEAD")


@pytest.mark.parametrize("state", ["bare", "broken", "another owner's"])
def test_a_repository_that_git_cannot_read(
    repository: Repository, state: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Git's own words say why."""
    directory = repository.directory
    if state == "bare":
        directory = Repository.made(tmp_path / "bare.git", "--bare").directory
    elif state == "broken":
        repository.write(".git/config", "[core\n")
    else:
        monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(GitError, match=r"git says: .{10}") as raised:
        read(directory)
    assert not raised.value.absent


def test_changes_inside_a_submodule(repository: Repository, tmp_path: Path) -> None:
    """The patch says that it does not hold them, and holds another commit of the submodule; untracked files do not count."""
    library = Repository.made(tmp_path / "library")
    library.commit(**{"lib.py": "1\n"})
    repository.git("submodule", "add", "-q", str(library.directory), "lib")
    repository.commit()
    submodule = Repository(repository.directory / "lib")
    submodule.write("untracked.py", "")
    assert read(repository.directory).dirty is False
    submodule.write("lib.py", "2\n")
    assert read(repository.directory).dirty
    patch = patch_of(repository.directory)
    assert patch.cut
    assert "inside submodules: lib" in patch.notes[0]
    assert b"diff --git" not in patch.content
    commit = submodule.commit()
    assert f"+Subproject commit {commit}\n".encode() in patch_of(repository.directory).content
    assert read(submodule.directory).commit == commit


def test_a_linked_worktree_and_a_variable_that_names_another(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Inside a git hook GIT_DIR names the hook's repository; the app's is the one it lies in."""
    repository.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    other = Repository.made(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other.directory / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    tree = read(tmp_path / "side")
    assert (tree.path, tree.branch, tree.dirty) == (str(tmp_path / "side"), "side", False)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:secret@example.com:80/x.git", "https://example.com:80/x.git"),
        ("https://ghp_secret@example.com/x.git", "https://example.com/x.git"),
        ("https://example.com/x.git?private_token=secret", "https://example.com/x.git"),
        ("https://me:se@cret@example.com/@scope/x.git", "https://example.com/@scope/x.git"),
        ("helper::https://me:secret@example.com/x", "helper::https://example.com/x"),
        ("ssh://git:secret@example.com/x.git", "ssh://git@example.com/x.git"),
        ("ssh://git@example.com:22/x.git", "ssh://git@example.com:22/x.git"),
        ("git@example.com:me/x.git", "git@example.com:me/x.git"),
        ("https://example.com/@scope/x.git", "https://example.com/@scope/x.git"),
        ("../x.git", "../x.git"),
        ("C:\\x.git", "C:\\x.git"),
        ("file:///x#y.git", "file:///x#y.git"),
    ],
)
def test_a_remotes_credentials(url: str, shown: str) -> None:
    """User, password and token go; what is needed to find the repository stays."""
    assert without_credentials(url) == shown


@given(st.text(min_size=1), st.text(min_size=1), st.sampled_from(["https", "http", "ftp", "ssh", "git+ssh"]))
def test_no_password_stays_in_a_remote(user: str, password: str, scheme: str) -> None:
    """Whatever it is made of."""
    user, password = quote(user, safe=""), quote(f"<{password}>", safe="")
    assert password not in without_credentials(f"{scheme}://{user}:{password}@host/path")
