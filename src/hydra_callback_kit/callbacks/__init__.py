"""The callbacks, one a file: thin classes that translate Hydra's hooks into the record and the record into views."""
