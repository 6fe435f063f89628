"""Which files a glob means."""

import pytest

from hydra_callback_kit.remote.patterns import is_meant


@pytest.mark.parametrize(
    ("pattern", "meant", "others"),
    [
        ("**", ["a", ".hydra/config.yaml", "a/b/c"], []),
        ("*.ckpt", ["last.ckpt", "runs/0/last.ckpt", "x.ckpt/shard"], ["last.ckpt.txt", "ckpt"]),
        ("wandb", ["wandb/a", "x/wandb/a/b", "wandb"], ["wandb2/a", "x/a"]),
        ("wandb/", ["wandb/a", "x/wandb/a/b"], ["wandb2/a"]),
        ("plots/*.png", ["plots/a.png"], ["x/plots/a.png", "plots/x/a.png", "plots/a.jpg"]),
        ("./plots", ["plots/a.png"], ["x/plots/a.png"]),
        ("**/plots/*.png", ["plots/a.png", "x/y/plots/a.png"], ["plots/x/a.png"]),
        ("plots/**", ["plots/a", "plots/b/c"], ["x/plots/a"]),
        ("[ab].txt", ["a.txt", "x/b.txt"], ["c.txt", "ab.txt"]),
    ],
)
def test_what_a_glob_means(pattern: str, meant: list[str], others: list[str]) -> None:
    """Without a slash it holds at any depth; a directory stands for all that is in it."""
    assert [name for name in [*meant, *others] if is_meant(name, [pattern])] == meant
