"""What happened: who ran which job where, written line by line by every process, and read back into records."""
