"""Where a run comes from: the commit and the patch, the packages, the machine; asked once per run, never of the network."""
