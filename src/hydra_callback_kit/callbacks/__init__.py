"""The callbacks, one a file, which has the name of the option."""
