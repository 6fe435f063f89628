"""Containers as far as processes can tell: commands in PID namespaces of their own, under the machine's host name."""

import os


def in_a_namespace(command: list[str], *, proc: bool = True) -> list[str]:
    """The command, as process 1 of a new PID namespace that ends with it.

    Args:
        command: what to start.
        proc: whether `/proc` is the namespace's own; otherwise it is that of the namespace above.
    """
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *user, "--pid", "--fork", "--kill-child", *(["--mount-proc"] if proc else []), *command]
