"""The experiments, one file each. A module here offers ``experiments()``."""
