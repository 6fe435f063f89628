"""Overrides of every form that Hydra's grammar knows, and many that it does not, read as Hydra reads them."""

import math
import random

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from hypothesis import example, given
from hypothesis import strategies as st
from omegaconf import OmegaConf
from strategies import SECRET, override_keys, single_values, swept_values

from hydra_callback_kit.configs.plan import jobs_of, planned_jobs
from hydra_callback_kit.configs.redaction import Redaction
from hydra_callback_kit.configs.sweeping import swept_keys
from hydra_callback_kit.journal.masking import is_marked
from hydra_callback_kit.journal.overrides import quoted_value, typed_override, typed_overrides

simple = st.builds(
    "{}{}={}".format,
    st.sampled_from(["", "+", "++"]),
    st.sampled_from(["a", "a.b", "a/b", "_a1.b_2"]),
    st.from_regex(
        r"[+-]?[0-9]{1,4}(\.[0-9]{0,3})?(e[+-]?[0-9]{1,2})?|[a-zA-Z]{1,5}|null|true|nan|inf|false", fullmatch=True
    ),
)
overrides = st.builds("{}={}".format, override_keys, single_values | swept_values) | override_keys | st.text(max_size=20)


def parsed(override: str) -> Override | None:
    """What Hydra's parser makes of it; None if it refuses."""
    try:
        return OverridesParser.create().parse_override(override)
    except HydraException:
        return None


@given(simple)
def test_the_short_cut_says_what_the_parser_says(override: str) -> None:
    """Values and their types are those of Hydra's own parser."""
    key, value = typed_override(override)
    by_hydra = parsed(override)
    assert by_hydra is not None
    assert key == by_hydra.key_or_group
    assert (type(value), repr(value)) == (type(by_hydra.value()), repr(by_hydra.value()))


@given(overrides)
def test_an_override_is_read_as_hydra_reads_it(override: str) -> None:
    """Key, package and typed value; a sweep as it was written; what Hydra refuses as text. It never raises."""
    key, value = typed_override(override)
    by_hydra = parsed(override)
    if by_hydra is None:
        assert value == override.partition("=")[2]
        return
    assert key == by_hydra.get_key_element().lstrip("+")
    if by_hydra.is_sweep_override():
        assert value == override.partition("=")[2]
    elif by_hydra.is_delete() and by_hydra.value() is None:
        assert value is True
    else:
        assert (type(value), repr(value)) == (type(by_hydra.value()), repr(by_hydra.value()))


@given(st.lists(overrides, max_size=4), st.lists(override_keys, max_size=2))
def test_what_a_sweep_varies(given_overrides: list[str], params: list[str]) -> None:
    """The keys of the overrides that are sweeps, and of the sweeper's parameters, and no others."""
    varied = {
        (by_hydra.key_or_group if by_hydra.package is None else by_hydra.package).replace("/", ".")
        for override in given_overrides
        if (by_hydra := parsed(override)) is not None and by_hydra.is_sweep_override()
    }
    assert swept_keys(given_overrides) == varied
    assert swept_keys(given_overrides, params) >= varied
    typed_overrides(given_overrides)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(lambda text: text == text.strip()))
@example("a ${b} \\${c}")
@example("it's\\")
@example("\\'")
@example("null")
@example("1e5")
def test_any_path_can_be_an_override(text: str) -> None:
    """Hydra's own parser reads back what was written, whatever quotes, backslashes and dollars a directory's name has."""
    override = OverridesParser.create().parse_override(f"hydra.run.dir={quoted_value(text)}")
    assert OmegaConf.create({"dir": override.value()})["dir"] == text


@given(st.lists(st.builds("{}={}".format, override_keys, single_values | swept_values), max_size=4))
def test_the_plan_is_what_the_basic_sweeper_runs(given_overrides: list[str]) -> None:
    """So many jobs, with these overrides, in this order; None where Hydra refuses them; no random number is drawn."""
    config = OmegaConf.create(
        {
            "hydra": {
                "sweeper": {"_target_": f"{BasicSweeper.__module__}.{BasicSweeper.__qualname__}", "params": {}},
                "overrides": {"task": []},
            }
        }
    )
    config.hydra.overrides.task = OmegaConf.create(given_overrides, flags={"allow_objects": True})
    state = random.getstate()
    plan = planned_jobs(config)
    assert random.getstate() == state
    try:
        (jobs,) = BasicSweeper.split_arguments(OverridesParser.create().parse_overrides(given_overrides), None)
    except HydraException:
        assert plan is None
        return
    assert plan is not None
    assert plan.count == len(jobs)
    assert jobs_of(plan.overrides) == [tuple(job) for job in jobs]


@given(override_keys, st.lists(overrides, max_size=2), st.sampled_from(["password", "api_key", "hf_token"]), st.data())
def test_no_secret_is_in_a_redacted_override(key: str, others: list[str], secret_key: str, data: st.DataObject) -> None:
    """Under a secret key, inside a mapping or a list, swept or not, in quotes or broken; others are unchanged."""
    secret = f"{SECRET}1"
    inside = st.sampled_from(
        [secret, f"'{secret}'", f"[{secret}]", f"{secret},b", f"choice({secret},b)", f"'{secret}", f"{secret}=b"]
    )
    value = data.draw(inside)
    redaction = Redaction()
    prefix = key.rstrip()
    assert secret not in redaction.of_override(f"{prefix}.{secret_key}={value}")
    assert secret not in redaction.of_override(f"{prefix}={{{secret_key}:{secret}}}")
    assert secret not in redaction.of_override(f"{prefix}=[{{a:1}},{{{secret_key}:[{secret}]}}]")
    for other in others:
        redacted = redaction.of_override(other)
        assert redacted == other or is_marked(redacted)


def test_a_plan_of_nothing_is_one_job() -> None:
    """A sweep without overrides."""
    assert jobs_of([]) == [()]
    assert math.prod([]) == 1
