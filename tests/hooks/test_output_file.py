"""Which names of files callbacks are given to write."""

import pytest

from hydra_callback_kit.hooks.parameters import ParameterError, output_file


@pytest.mark.parametrize(
    "given", ["/dev/null", "/dev/full", ".hydra/config.yaml", ".callbacks/x.jsonl", "./.hydra/x", "", "a/", ".."]
)
def test_what_is_not_to_be_written_over_is_refused(given: str) -> None:
    """A device would be renamed away from all others on the machine, and a saved config would be lost."""
    with pytest.raises(ParameterError, match="file="):
        output_file("file", given)


@pytest.mark.parametrize("given", ["result.json", "sub/result.json", "../result.json", ".hidden"])
def test_others_are_taken_as_they_are(given: str) -> None:
    """In the run's directory, beside it, or anywhere."""
    assert output_file("file", given) == given
