"""Which devices and CPU cores a process has to itself: what there is, what is claimed, and how."""
