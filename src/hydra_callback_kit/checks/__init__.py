"""What can be wrong with a config, found without a job: each check is a function from a config to its violations."""
