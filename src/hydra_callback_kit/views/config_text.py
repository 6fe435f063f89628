"""A config as YAML, for people."""

from collections.abc import Mapping
from typing import Any

from hydra_callback_kit.record.values import to_json


def yaml_text(plain: Mapping[str, Any]) -> str:
    """Writes plain values as YAML.

    Args:
        plain: what `app_config` returns.

    Returns:
        Lines in the order of the keys, without a newline at the end.
    """
    import yaml  # noqa: PLC0415  comes with OmegaConf; needed only when configs are shown

    return str(yaml.safe_dump(to_json(plain), sort_keys=False, allow_unicode=True)).rstrip()
