"""Deliberate faults, and the simulation that finds them."""
