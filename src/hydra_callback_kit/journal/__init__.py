"""What happened, on disk: lines that every process writes, and the records made of them. It knows nothing of Hydra."""
