"""One hypothesis profile for all unit tests: the same examples in each run, and no deadline on a busy machine.

``HYPOTHESIS_PROFILE=explore`` looks for new ones instead, fifty times as long.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_EXAMPLES = 60
_STEPS = 50

settings.register_profile(
    "fixed",
    derandomize=True,
    deadline=None,
    max_examples=_EXAMPLES,
    stateful_step_count=_STEPS,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("explore", settings.get_profile("fixed"), derandomize=False, max_examples=50 * _EXAMPLES)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))
