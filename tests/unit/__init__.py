"""No process, no waiting: one part at a time."""
