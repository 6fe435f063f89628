"""A run in a notebook: its table, and the report's plots as figures of plotly, one by one."""
