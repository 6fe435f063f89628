"""Where else a run is written down: what is sent there, from the record, and how to never wait for it."""
