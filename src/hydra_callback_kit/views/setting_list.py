"""Settings as a list that a notebook shows as a table."""

from hydra_callback_kit.views.settings import Setting


class SettingList(list[Setting]):
    """Settings; a list like any other."""

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from hydra_callback_kit.views.plots.table import settings_html  # noqa: PLC0415  only a notebook shows it

        return settings_html(self)
