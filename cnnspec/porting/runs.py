"""Runs in a body as loops, so that bodies of different depth can be laid side by side."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cnnspec.porting.items import Call, For, Group, Item, Items, Join, Range, Repeat, below, bodies, rebuilt
from cnnspec.porting.merge import ABSENT, Vary


def forms(bodies: Sequence[Items]) -> Iterator[tuple[Items, ...]]:
    """The same bodies with runs as loops: as they are, counted, and counted with the first item apart."""
    for form in (as_they_are, counted, first_apart):
        yield tuple(map(form, bodies))


def as_they_are(items: Items) -> Items:
    return items


def counted(items: Items) -> Items:
    """Runs of equal items as loops, single ones too; also in the groups among them."""
    items = tuple(rebuilt(item, counted) if isinstance(item, Group) and not item.kind else item for item in items)
    return _runs(items)


def first_apart(items: Items) -> Items:
    """The same, with the first item by itself."""
    items = tuple(rebuilt(item, first_apart) if isinstance(item, Group) and not item.kind else item for item in items)
    return (*items[:1], *_runs(items[1:]))


def _runs(items: Items) -> Items:
    found: list[Item] = []
    while items:
        length = _run_length(items)
        first = items[0]
        if not _repeats(first):
            found.append(first)
        elif label_of(first):
            number = int(re.findall(r"\d+", label_of(first))[-1])
            found.append(For(("j",), (Range(number, length),), (_relabelled(first, "{j}"),)))
        else:
            found.append(Repeat(length, (first,)))
        items = items[length:]
    return tuple(found)


def unwrapped(items: Items) -> Items:
    """Without loops of one pass, and of two that are no shorter than what they repeat."""
    found: list[Item] = []
    for item in items:
        item = rebuilt(item, unwrapped)
        if isinstance(item, Repeat) and item.count == 1:
            found += item.items
        elif isinstance(item, Repeat) and item.count == 2 and len(item.items) == 1 and isinstance(item.items[0], Call):
            found += (*item.items, *item.items)
        elif isinstance(item, For) and [value.count for value in item.values if isinstance(value, Range)] == [1]:
            found += (_placed(each, str(item.values[0].start)) for each in item.items)
        else:
            found.append(item)
    return tuple(found)


def _placed(item: Item, number: str) -> Item:
    """With a number in the place of the loop's name."""
    if isinstance(item, Call | Group):
        label = item.label
        texts = tuple(text if text is ABSENT else text.replace("{j}", number) for text in getattr(label, "values", ()))
        item = item.replace(label=Vary(texts) if texts else label.replace("{j}", number))
    return rebuilt(item, lambda body: tuple(_placed(each, number) for each in body))


def _repeats(item: Item) -> bool:
    """Whether an item may be one of several: a block, or a join with one, whose label has a number if there is one."""
    calls = [each for each in below((item,)) if isinstance(each, Call) and each.word[:1].isupper()]
    return len(calls) == 1 and isinstance(item, Call | Join) and (not label_of(item) or label_of(item)[-1].isdigit())


def label_of(item: Item) -> str:
    """The only label in it."""
    labels = [each.label for each in below((item,)) if isinstance(each, Call | Group) and each.label]
    return labels[0] if len(labels) == 1 else ""


def _relabelled(item: Item, number: str) -> Item:
    """With another last number in the label."""
    if isinstance(item, Call | Group) and item.label:
        item = item.replace(label=re.sub(r"\d+$", number, item.label))
    return rebuilt(item, lambda body: tuple(_relabelled(each, number) for each in body))


def _run_length(items: Items) -> int:
    """How many equal items, or items with a growing number in the label, there are from here on."""
    first, length = items[0], 1
    wanted = told((_relabelled(first, "#"),))
    numbers = re.findall(r"\d+", label_of(first)) if _repeats(first) else []
    while length < len(items) and _repeats(items[length]) and told((_relabelled(items[length], "#"),)) == wanted:
        label = re.findall(r"\d+", label_of(items[length]))
        if label and int(label[-1]) != int(numbers[-1]) + length:
            break
        length += 1
    return length


def told(items: Items) -> str:
    """The same for bodies that say the same."""
    return "; ".join(map(_item_told, items))


def _item_told(item: Item) -> str:
    if isinstance(item, Call):
        return f"{item.word}{item.args}{item.label}"
    said = [getattr(item, name, "") for name in ("label", "kind", "options", "count", "values", "condition")]
    return f"{type(item).__name__}{said}{[told(body) for body in bodies(item)]}"
