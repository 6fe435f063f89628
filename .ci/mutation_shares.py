"""The share of mutants that tests have killed, module by module, and what the survivors are.

    python mutation_shares.py FLOOR

It is called where mutmut has run. The exit code is 1 if less than FLOOR percent of all mutants were killed.
"""

import json
import subprocess
import sys
from pathlib import Path

from mutmut.stats import status_by_exit_code

KILLED = ("killed", "timeout", "segfault")
"""What mutmut calls a mutant that a test has noticed, if only by not coming to an end."""
NOT_RUN = ("not checked", "skipped")


def main(floor: float) -> int:
    """Prints it all; the exit code."""
    found: dict[str, dict[str, bool]] = {}
    for meta in sorted(Path("mutants").rglob("*.meta")):
        codes = json.loads(meta.read_text("utf-8"))["exit_code_by_key"]
        statuses = {name: status_by_exit_code[code] for name, code in codes.items()}
        found[str(meta.relative_to("mutants"))[: -len(".meta")]] = {
            name: status in KILLED for name, status in statuses.items() if status not in NOT_RUN
        }
    for module, killed in found.items():
        for name in (name for name, was_killed in killed.items() if not was_killed):
            print(f"--- survived: {name}, in {module}")
            shown = subprocess.run(
                [sys.executable, "-m", "mutmut", "show", name], capture_output=True, text=True, check=False
            )
            print(
                "\n".join(line for line in shown.stdout.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---"))
            )
    every = [was_killed for killed in found.values() for was_killed in killed.values()]
    for module, killed in (*found.items(), ("all", dict(enumerate(every)))):
        if killed:
            print(f"{sum(killed.values()) / len(killed):7.1%}  of {len(killed):5d}  {module}")
    if not every or 100 * sum(every) < floor * len(every):
        print(f"fewer than {floor:g} percent of the mutants were killed", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
