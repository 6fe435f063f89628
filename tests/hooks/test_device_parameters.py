"""What `device_callback` may be given, as it is built."""

import contextlib
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from hydra_callback_kit import DeviceCallback, ParameterError
from hydra_callback_kit.hooks import device_parameters


def test_what_is_allowed() -> None:
    """In Hydra's own lists, too."""
    assert device_parameters.devices(OmegaConf.create([0, "1", "GPU-ab", "2, 03"])) == ("0", "1", "GPU-ab", "2,3")
    assert device_parameters.devices("auto") == "auto"
    assert device_parameters.devices(None) is None
    assert device_parameters.cores(None) is None
    assert device_parameters.jobs_per_device(1000) == 1000
    if sys.platform == "linux":
        assert device_parameters.cores(OmegaConf.create(["0-3", 7, "5,4"])) == ((0, 1, 2, 3), (7,), (4, 5))


WRONG = [
    ({"devices": []}, "Write for example devices=[0,1]."),
    ({"devices": 2}, "Write devices=[2] for that device, or devices=[0,1] for so many."),
    ({"devices": 0}, "Write devices=[0]."),
    ({"devices": "Auto"}, "Write devices=auto."),
    ({"devices": "0,1"}, "Write devices=[0,1]."),
    ({"devices": [-1]}, "Write for example devices=[0,1]."),
    ({"devices": [True]}, "Write for example devices=[0,1]."),
    ({"devices": [[0, 1], [2, 3]]}, 'Write "0,1" for a set of devices.'),
    ({"devices": ["0,"]}, "Write for example devices=[0,1]."),
    ({"devices": [None]}, "Write for example devices=[0,1]."),
    ({"devices": [1.5]}, "Write for example devices=[0,1]."),
    ({"devices": [0, 0]}, "each device once, and 0 is there twice"),
    ({"devices": ["0,1", "01,2"]}, "each device once, and 1 is there twice"),
    ({"devices": None}, "null only with cores"),
    ({"variable": ""}, "Write for example variable=CUDA_VISIBLE_DEVICES."),
    ({"variable": "MY-GPU"}, "the name of an environment variable"),
    ({"variable": 3}, "the name of an environment variable"),
    ({"variable": "ROCR_VISIBLE_DEVICES"}, "only NVIDIA GPUs are found by themselves"),
    ({"jobs_per_device": 0}, "a whole number from 1 to 1000"),
    ({"jobs_per_device": 1001}, "a whole number from 1 to 1000"),
    ({"jobs_per_device": True}, "a whole number from 1 to 1000"),
    ({"jobs_per_device": 1.5}, "a whole number from 1 to 1000"),
    ({"cores": []}, 'Write for example cores=["0-3","4-7"].'),
    ({"cores": 4}, 'Write for example cores=["0-3","4-7"].'),
    ({"cores": ["3-0"]}, 'Write for example cores=["0-3","4-7"].'),
    ({"cores": ["a"]}, 'Write for example cores=["0-3","4-7"].'),
    ({"cores": ["0-3", "3-4"]}, "each core once, and 3 is there twice"),
    ({"devices": [0, 1], "cores": ["0"]}, "one set for each of the 2 devices"),
    ({"device": [0]}, "Write devices=[0]."),
]


@pytest.mark.parametrize(("given", "said"), WRONG, ids=[str(given) for given, _ in WRONG])
def test_what_is_not_allowed(given: dict[str, Any], said: str) -> None:
    """The parameter, what was given, what is allowed, and what to type."""
    with pytest.raises(ParameterError) as raised:
        DeviceCallback(**given)
    assert said in str(raised.value)
    assert raised.value.parameter in (*given, "devices")


@given(
    st.one_of(
        st.text(max_size=6),
        st.integers(),
        st.floats(),
        st.booleans(),
        st.lists(st.one_of(st.text(max_size=5), st.integers())),
    )
)
def test_whatever_is_given_it_is_this_error_or_none(value: Any) -> None:
    """A mistake never comes to the job."""
    for parameter in ("devices", "cores", "jobs_per_device", "variable"):
        with contextlib.suppress(ParameterError):
            DeviceCallback(**{"devices": [0], parameter: value})
