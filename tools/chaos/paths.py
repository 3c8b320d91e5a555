"""Where the repository's other Python lies, and what is shared with it."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
for folder in ("tools", "testnet"):
    if os.path.join(ROOT, folder) not in sys.path:
        sys.path.append(os.path.join(ROOT, folder))

from local import Failed, wait_until  # noqa: E402

__all__ = ["Failed", "wait_until", "HERE", "ROOT"]
