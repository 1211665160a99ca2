"""The changes as a person would list them: what is the same at many places is said once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from fractions import Fraction
from itertools import groupby

from cnnspec.network.model import CombineNode
from cnnspec.record import Record
from cnnspec.report.diff import Difference
from cnnspec.report.diff.changes import Change, Costs, Setting, together
from cnnspec.report.diff.parts import Branch, Part

MOST_VALUES = 4
MOST_PLACES = 9
LONGEST_PERIOD = 12
LONGEST_TEXT = 60


class Row(Record):
    """Changes that are told as one; a row without changes says how many blocks a module holds.

    `behind` says which layers additions stand behind everywhere, where that is a pattern. `inside` are changes that
    are not told by themselves."""

    where: str
    what: str
    changes: tuple[Change, ...] = ()
    behind: str = ""
    inside: tuple[Change, ...] = ()

    @property
    def kind(self) -> str:
        return self.changes[0].kind if self.changes else ""

    @property
    def costs(self) -> Costs:
        return together(change.costs for change in (*self.changes, *self.inside))

    @property
    def text(self) -> str:
        return f"{self.what} {self.behind}" if self.behind else self.what


def rows(difference: Difference) -> list[Row]:
    """In the order in which the networks run."""
    gathered, folded = _gathered(difference)
    counts = {(count.module, count.block): count for count in difference.counts}
    found = []
    for key, changes in gathered.items():
        count = counts.pop((changes[0].home, changes[0].first.word), None) if changes[0].kind in BARE else None
        if count:
            found.append(Row(count.module or "the model", f"{count.before} -> {count.after} {count.block}"))
        row = _rest(changes) if key == REST else _row(changes, difference)
        found.append(row.replace(inside=tuple(each for change in changes for each in folded.get(id(change), ()))))
    return sorted(found, key=lambda row: row.kind == "receives" and _key(row.changes[0]) == REST)


def _gathered(difference: Difference) -> tuple[dict[Hashable, list[Change]], dict[int, list[Change]]]:
    """Changes by what they have in common; and by a change of a block for another one, those inside, which are a matter
    of the blocks and not of the networks."""
    gathered: dict[Hashable, list[Change]] = {}
    folded: dict[int, list[Change]] = {}
    blocks = [change for change in difference.changes if change.kind == "block" and another(change)]
    for change in difference.changes:
        block = next((each for each in blocks if inside(change, each)), None)
        if block:
            folded.setdefault(id(block), []).append(change)
        else:
            gathered.setdefault(_key(change), []).append(change)
    return gathered, folded


def another(change: Change) -> bool:
    """Whether one block was put in the place of another one: it has another name, or other parameters."""
    before, after = change.before[0].block, change.after[0].block
    return not before or not after or before.name != after.name or {*before.arguments} != {*after.arguments}


def inside(change: Change, block: Change) -> bool:
    """Whether a change happened inside a group that was changed itself."""
    path = block.after[0].path
    return change is not block and (change.home == path or change.home.startswith(f"{path}."))


BARE = ("added", "removed")
REST = "rest"
"""The key of layers that receive other maps, and learn as much as before."""


def _key(change: Change) -> Hashable:
    before, after = change.before[:1], change.after[:1]
    match change.kind:
        case "added" | "removed" | "moved":
            behind = change.behind.word if change.behind else None
            grown = change.home if change.first.block else ""
            return change.kind, chain_text(change.parts), behind, grown
        case "changed":
            return change.kind, change.first.word, change.first.label, tuple(map(_ratio, change.settings))
        case "replaced":
            return change.kind, before[0].text, after[0].text
        case "block":
            return change.kind, before[0].word, after[0].word, () if another(change) else change.settings
        case "renamed":
            return change.kind, before[0].label, after[0].label
        case "receives" if change.costs.parameters:
            return change.kind, change.first.word, change.first.label
        case "receives":
            return REST
    part = _holder(change)
    return change.kind, part.word, part.label


def _ratio(setting: Setting) -> Hashable:
    """Two channel numbers that were both doubled changed alike."""
    try:
        before, after = int(setting.before), int(setting.after)
    except ValueError:
        return setting
    return (setting.name, Fraction(after, before)) if before else setting


def incoming(change: Change) -> tuple[int, int]:
    """What arrives at a layer after and before: channels, or features."""
    after, before = change.after[0], change.before[0]
    assert after.layer
    assert before.layer
    return after.layer.incoming(after.input), before.layer.incoming(before.input)


def _holder(change: Change) -> Part:
    return change.after[0] if change.kind == "grouped" else change.before[0]


# -------------------------------------------------------------------------------------------------------------- rows


def _row(changes: list[Change], difference: Difference) -> Row:
    first = changes[0]
    what = _what(changes)
    behind = _behind(changes, difference) if first.kind in BARE else ""
    return Row(where(changes), what, tuple(changes), behind)


def _rest(changes: list[Change]) -> Row:
    layers = sum(change.first.layer is not None for change in changes)
    joins = len(changes) - layers
    words = [f"{layers} layers" if layers > 1 else "1 layer"] if layers else []
    words += [f"{joins} joins" if joins > 1 else "1 join"] if joins else []
    return Row(" and ".join(words), "the same, but of another size", tuple(changes))


def _what(changes: list[Change]) -> str:
    first = changes[0]
    match first.kind:
        case "added" | "removed":
            return chain_text(first.parts)
        case "moved":
            return f"{chain_text(first.parts)}{_now_behind(first)}"
        case "changed":
            return f"{first.first.word}: {', '.join(_setting(changes, at) for at in range(len(first.settings)))}"
        case "replaced":
            return f"{first.before[0].text} -> {first.after[0].text}"
        case "block":
            return _block(first)
        case "renamed":
            return (
                f"{first.before[0].label or first.before[0].key} is called {first.after[0].label or first.after[0].key}"
            )
        case "receives":
            arriving = [(before, after) for after, before in map(incoming, changes)]
            return f"{first.first.word} receives {_values(arriving)}"
    return _grouped(changes)


def _now_behind(change: Change) -> str:
    return f", now behind {change.behind.word}" if change.behind and change.behind.word else ""


def _setting(changes: list[Change], at: int) -> str:
    values = [(change.settings[at].before, change.settings[at].after) for change in changes]
    return f"{changes[0].settings[at].name} {_values(values)}"


def _values(pairs: Sequence[tuple[object, object]]) -> str:
    """`64 -> 128, 128 -> 256`"""
    shown = [f"{before} -> {after}" for before, after in dict.fromkeys(pairs)]
    if len(shown) > MOST_VALUES:
        shown = [*shown[:2], "...", shown[-1]]
    return ", ".join(shown)


def _block(change: Change) -> str:
    before, after = change.before[0], change.after[0]
    if before.word == after.word and another(change):
        return f"another block {before.word}"
    if before.word == after.word:
        told = ", ".join(f"{setting.name} {setting.before} -> {setting.after}" for setting in change.settings)
        return f"{before.word}: {told}"
    return f"{before.word or 'braces'} -> {after.word or 'braces'}"


def _grouped(changes: list[Change]) -> str:
    part = _holder(changes[0])
    joins = isinstance(part.node, CombineNode)
    if changes[0].kind == "grouped":
        texts = ", ".join(dict.fromkeys(_holder(change).text for change in changes))
        return f"now in a branch of {part.word}" if joins else f"now in {texts.replace('{ }', 'braces')}"
    return f"no longer in a branch of {part.word}" if joins else f"no longer in {part.word or 'braces'}"


def _behind(changes: list[Change], difference: Difference) -> str:
    """`behind each of the 8 convs`, where the same was added behind layers of one kind."""
    before = changes[0].behind
    if before is None or not before.layer or len(changes) < 2:
        return ""
    side = difference.after if changes[0].kind == "added" else difference.before
    modules = {change.home for change in changes}
    there = sum(leaf.word == before.word and home(leaf) in modules for leaf in side.root.leaves)
    return f"behind each of the {there} {before.word}s" if there == len(changes) else ""


def home(part: Part) -> str:
    return part.path.rpartition(".")[0]


# -------------------------------------------------------------------------------------------------------------- text


def chain_text(parts: Branch) -> str:
    """Parts that run one after another; what repeats itself is counted: `2 x (conv(64, 3), relu), maxpool(2)`."""
    texts = [_text(part) for part in parts]
    found, at = [], 0
    while at < len(texts):
        period, times = _repeated(texts, at)
        inside = ", ".join(texts[at : at + period])
        found.append(inside if times == 1 else f"{times} x ({inside})" if period > 1 else f"{times} x {inside}")
        at += period * times
    return ", ".join(found)


def _text(part: Part) -> str:
    """Of a join, what is in its branches."""
    if not isinstance(part.node, CombineNode):
        return part.text
    inside = " | ".join(chain_text(branch) for branch in part.branches)
    return f"{part.text} of {inside}" if len(inside) <= LONGEST_TEXT else part.text


def _repeated(texts: list[str], at: int) -> tuple[int, int]:
    """How long what begins here is, and how often it follows itself."""
    for period in range(1, min(LONGEST_PERIOD, (len(texts) - at) // 2) + 1):
        times = 1
        while texts[at + times * period : at + (times + 1) * period] == texts[at : at + period]:
            times += 1
        if times > 1:
            return period, times
    return 1, 1


def where(changes: list[Change]) -> str:
    """All places, or the first and the last with their number; those before where they have others now."""
    if changes[0].kind == "grouped":
        return _places([_name(part) for change in changes for part in change.before])
    if changes[0].kind == "ungrouped":
        return _places([_name(part) for change in changes for part in change.after])
    return _places([_name(part, changes[0].kind in BARE) for change in changes for part in change.parts])


def _name(part: Part, bare: bool = False) -> str:
    """A join has no name: it is told by the module it stands in, a new one by what is in it."""
    if part.key:
        return part.path
    named = [each.path for each in part.inside if each.key]
    if bare and named:
        return named[0]
    return f"{part.word} in {part.path}" if part.path else part.word


def _places(paths: list[str]) -> str:
    paths = [*dict.fromkeys(paths)]
    modules = [path.rpartition(".") for path in paths]
    if len({module for module, _, _ in modules}) == 1 and len(paths) <= MOST_PLACES * 3:
        module, point, _ = modules[0]
        return module + point + ", ".join(_ranges([key for _, _, key in modules]))
    if len(paths) <= 2:
        return ", ".join(paths)
    return f"{paths[0]} to {paths[-1]}, {len(paths)} in all"


def _ranges(keys: list[str]) -> list[str]:
    """`2 to 5, 8` for the numbers among them, and for names that end in numbers."""
    found = []
    for _, run in groupby(enumerate(keys), key=lambda each: _step(*each)):
        named = [key for _, key in run]
        last = named[-1][len(_word(named[-1])) :]
        found.append(named[0] if len(named) == 1 else f"{named[0]} to {last}")
    return found


def _word(key: str) -> str:
    return key.rstrip("0123456789")


def _step(at: int, key: str) -> tuple[str, int | str]:
    """The same for keys that count on from one another."""
    number = key[len(_word(key)) :]
    return _word(key), int(number) - at if number else key


def sums(each: Iterable[Row]) -> Costs:
    return together(row.costs for row in each)
