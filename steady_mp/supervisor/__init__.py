"""The supervisor: starts the actors' processes, watches them, restarts what dies, drains the graph."""
