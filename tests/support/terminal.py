"""``python -m tests.support.terminal COMMAND…``: make descriptor 0 the controlling terminal, and become COMMAND.

For tests of Ctrl-C: the caller has made a session and handed a pseudo-terminal over.
"""

from __future__ import annotations

import fcntl
import os
import sys
import termios

if __name__ == "__main__":
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - what the test asked for
