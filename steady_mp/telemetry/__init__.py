"""What people and Prometheus see of a run, read from its directory by a process of its own."""
