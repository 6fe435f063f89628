"""What a job writes to stdout and stderr, whoever writes it: taken where it reaches the descriptors."""
