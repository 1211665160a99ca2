"""The random specs of the whole language are drawn as the tests of the network draw them."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "network"))
