"""What a person would name as the cause of a cost: the change of a block's arguments, not what that changes inside."""

from __future__ import annotations

from collections.abc import Sequence

from cnnspec.record import Record
from cnnspec.report.diff.changes import Costs
from cnnspec.report.diff.rows import Row, inside


class Cause(Record):
    """`row` is what is told, `costs` those of all rows it explains."""

    row: Row
    costs: Costs

    @property
    def text(self) -> str:
        """As the subject of a sentence."""
        row = self.row
        match row.kind:
            case "added":
                return f"the added {row.text} ({row.where})"
            case "removed":
                return f"the removed {row.text} ({row.where})"
            case "receives":
                return f"{row.where} ({row.changes[0].first.word})"
        return f"{row.text} ({row.where})"


def causes(listed: Sequence[Row]) -> list[Cause]:
    """In the order of the rows."""
    blocks = [(change, row) for row in listed if row.kind == "block" for change in row.changes]
    found: dict[int, tuple[Row, Costs]] = {}
    for row in listed:
        for change in (*row.changes, *row.inside):
            told = next((holder for block, holder in blocks if change is block or inside(change, block)), row)
            known = found.get(id(told), (told, Costs()))[1]
            found[id(told)] = told, known + change.costs
    return [Cause(row, costs) for row, costs in found.values()]
