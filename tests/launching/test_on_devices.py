"""What a launcher is told so that its workers do not keep devices that no job has."""

from types import SimpleNamespace
from typing import Any

import pytest
from omegaconf import OmegaConf

from hydra_callback_kit.devices.wanted import Wanted
from hydra_callback_kit.launching.on_devices import OnDevices


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, {"max_calls": 1}),
        ({"num_cpus": 2}, {"num_cpus": 2, "max_calls": 1}),
        ({"max_calls": 3}, {"max_calls": 3}),
    ],
)
def test_rays_workers_end_after_a_job(given: dict[str, int], told: dict[str, int]) -> None:
    """Also where its settings are a read-only node of the config, as in Hydra 1.4; that stays as it is."""
    config = OmegaConf.create({"cpus": 4, "ray": {"init": {"num_cpus": "${cpus}"}, "remote": given}})
    OmegaConf.set_readonly(config, True)
    OmegaConf.set_struct(config, True)
    launcher: Any = SimpleNamespace(ray_cfg=config.ray)
    wanted = Wanted(devices=("0",), variable="CUDA_VISIBLE_DEVICES", cores=None, jobs_per_device=1)
    OnDevices(wanted, here=False, places=1, claim=lambda: None).set_up(launcher)
    assert OmegaConf.to_container(launcher.ray_cfg, resolve=True) == {"init": {"num_cpus": 4}, "remote": told}
    assert config.ray.remote == given
