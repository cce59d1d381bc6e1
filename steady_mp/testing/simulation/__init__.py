"""Simulation: a whole graph in one process, under a seeded scheduler and a virtual clock."""
