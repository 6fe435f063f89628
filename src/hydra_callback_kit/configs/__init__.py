"""What a config that Hydra handed over says: whose it is, its overrides, its secrets, the jobs of its sweep."""
