"""The peers, one file each. A module here offers ``peers()``; importing it must not need the peer."""
