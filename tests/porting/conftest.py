"""Networks to port come from the tests of what made them: the zoo, the emission, the random specs."""

from __future__ import annotations

import sys
from pathlib import Path

for part in ("zoo", "emission", "network", "layers"):
    sys.path.append(str(Path(__file__).parents[1] / part))
