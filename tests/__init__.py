"""The tests: `unit` starts no process, the other folders do."""
