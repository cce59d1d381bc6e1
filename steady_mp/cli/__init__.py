"""The command `steady-mp`: one file per command, and what several of them need beside it."""
