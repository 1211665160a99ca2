"""What torchvision publishes about each of its convolutional classifiers, as `published.json` has it.

`python tests/zoo/published.py` takes the table from the installed torchvision anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_suffix(".json")

TRANSFORMERS = ("vit_", "swin_", "maxvit")
"""torchvision's classifiers that are no convolutional networks."""


def table() -> dict[str, Any]:
    """By name: `parameters`; `min_size`, the smallest input that runs; `macs` in 1e9 for each size of input that
    there are weights for, the smallest first."""
    found: dict[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))
    return found


def of_torchvision() -> dict[str, Any]:
    """The table, from the weights' entries of the installed torchvision."""
    from cnnspec.data.vision import import_torchvision

    import_torchvision()
    from torchvision import models

    names = [name for name in models.list_models(module=models) if not name.startswith(TRANSFORMERS)]
    return {name: _of(list(models.get_model_weights(name))) for name in names}


def _of(entries: list[Any]) -> dict[str, Any]:
    (parameters,) = {entry.meta["num_params"] for entry in entries}
    (min_size,) = {entry.meta["min_size"] for entry in entries}
    macs: dict[str, float] = {}
    for entry in entries:
        (size,) = entry.transforms().crop_size
        assert macs.setdefault(str(size), entry.meta["_ops"]) == entry.meta["_ops"]
    return {"parameters": parameters, "min_size": min_size[0], "macs": dict(sorted(macs.items()))}


if __name__ == "__main__":
    rows = ",\n".join(f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in of_torchvision().items())
    TABLE.write_text("{\n" + rows + "\n}\n", encoding="utf-8")
