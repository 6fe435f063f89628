"""The command line: one command a file, imported when it is asked for, so that `--help` costs nothing."""
