"""Where steady-mp runs: imported before everything else, which elsewhere could not even be imported."""

import platform
import sys

_SUPPORTED = {"linux": {"x86_64", "aarch64"}, "darwin": {"arm64", "x86_64"}}

if platform.machine() not in _SUPPORTED.get(sys.platform, set()):
    _message = f"steady-mp runs on Linux and macOS, x86-64 and AArch64; this is {sys.platform} on {platform.machine()}"
    raise ImportError(_message)
if sys.platform == "darwin" and sys.version_info < (3, 13):
    _message = f"steady-mp needs Python 3.13 on macOS, for os.waitid; this is {platform.python_version()}"
    raise ImportError(_message)
