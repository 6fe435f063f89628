"""Imports in a thread of this package, beside jobs that fork."""

import os
import threading
from typing import Final

importing: Final = threading.Lock()
"""Held while a thread imports: a child that is forked in the middle of an import could never import that module itself."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=importing.acquire, after_in_parent=importing.release, after_in_child=importing.release)
