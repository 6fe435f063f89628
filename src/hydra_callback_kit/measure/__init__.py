"""What a job uses: its processes, and the GPUs that they use, read from the operating system and the driver."""
