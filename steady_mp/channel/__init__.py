"""Channels: bounded, one producer, one consumer, in shared memory."""
