"""Where the journal lies and which version its lines have: what its writer and its reader must agree on."""

from typing import Final

SCHEMA_VERSION: Final = 1
JOURNAL_DIR: Final = ".callbacks"
