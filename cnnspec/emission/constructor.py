"""The constructor of a class: what makes its children, one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from cnnspec.emission import layout
from cnnspec.emission.express import quoted
from cnnspec.emission.frames import Let
from cnnspec.emission.items import (
    Ask,
    Assign,
    Child,
    Choice,
    ClassPlan,
    Item,
    Join,
    Loop,
    below,
    children,
    without_joins,
)
from cnnspec.emission.layout import Entry, indented
from cnnspec.emission.listing import assigned, compact, generator, header, let, positional, runs, written
from cnnspec.emission.names import free
from cnnspec.emission.naming import Naming, attribute, questions

FEWEST_GATHERED = 3
"""So many equal children in a row are written as one line."""


class Constructor:
    """`comment` gives the shape behind a child, or nothing."""

    def __init__(self, plan: ClassPlan, naming: Naming, comment: Callable[[Child], str]) -> None:
        self.plan, self.naming, self.comment = plan, naming, comment
        self.local = set(plan.frame.everything)
        self.depth = 2
        self.conditions: dict[str, str] = {}
        """What conditions are called that `forward` asks too: these are written once."""

    def body(self) -> list[str]:
        """The statements, not yet indented."""
        flags = self.naming.flags
        if self.naming.attributes:
            self.conditions = {text: f"self.{name}" for text, name in flags.items() if text not in self.local}
            kept = [f"self.{name} = {text}" for text, name in flags.items()]
            return ["super().__init__()", *kept, *self.attributes(self.plan.items)]
        choices = self.naming.choices
        before = [f"{self.free('choices')} = []"] if choices else []
        after = [f"self.{choices} = choices"] if choices else []
        tests = {side.test for item in below(self.plan.items) if isinstance(item, Choice) for side in item.sides}
        self.conditions = {text: self.free(flags[text]) for text in flags if text in tests and text not in self.local}
        before += [f"{name} = {text}" for text, name in self.conditions.items()]
        after += [f"self.{name} = {self.conditions.get(text, text)}" for text, name in flags.items()]
        return [*before, *self.sequential(), *after]

    def made(self, items: Sequence[Item]) -> tuple[Item, ...]:
        """What there is to do: branches in the place of joins, and without what leaves no line."""
        return tuple(
            item
            for item in without_joins(items)
            if not (isinstance(item, Let) and not written(item))
            and not (isinstance(item, Ask) and not self.answer(item))
        )

    def answer(self, item: Item) -> list[str]:
        """Keeps what `forward` asks about an item and no argument says."""
        item = item.join if isinstance(item, Ask) else item
        lines = []
        for text, name in questions(item):
            kept = self.naming.asked.get((id(item), name))
            if kept is not None and kept not in self.naming.flags.values():
                lines.append(f"self.{kept} = {text}" if kept else f"choices.append({text})")
        return lines

    # -------------------------------------------------------------------------------------------------- attributes

    def attributes(self, items: Sequence[Item]) -> Iterator[str]:
        for item in items:
            yield from self.answer(item)
            match item:
                case Child():
                    if id(item) in self.naming.first:
                        yield from self.attribute(item)
                case Join():
                    for branch in item.branches:
                        yield from self.attributes(branch)
                case Choice():
                    absent = self.naming.absent(item)
                    if absent:
                        yield f"self.{absent} = None"
                    yield from self.choice(item, lambda inside: list(self.attributes(inside)))
                case Let():
                    yield from let(item)
                case Assign():
                    yield assigned(item)

    def attribute(self, child: Child) -> Iterator[str]:
        target = f"self.{self.naming.names[id(child)]} = "
        if child.items is None:
            yield from self.lines(Entry(child.head, child.arguments, prefix=target))
        elif self.simple(child.items):
            yield from self.lines(self.container("nn.Sequential", child.items, target))
        else:
            name = self.variable(child)
            yield from self.gathered(child.items, name)
            yield f"{target}{self.packed('nn.Sequential', child.items, name)}"

    def variable(self, child: Child) -> str:
        """A name for the list of the children of a group."""
        wanted = child.key if not child.computed and attribute(child.key) else "group"
        return self.free(wanted)

    def choice(self, item: Choice, inside: Callable[[Sequence[Item]], list[str]]) -> Iterator[str]:
        word = "if"
        for side in item.sides:
            yield f"{word} {self.conditions.get(side.test, side.test)}:" if side.test else "else:"
            yield from self.deeper(lambda: inside(side.items))  # noqa: B023
            word = "elif"

    def deeper(self, inside: Callable[[], list[str]]) -> list[str]:
        """Statements one step further in."""
        self.depth += 1
        lines = indented(inside() or ["pass"])
        self.depth -= 1
        return lines

    def lines(self, entry: Entry) -> list[str]:
        return layout.lines(entry, 0, width=layout.WIDTH - layout.STEP * self.depth)

    # -------------------------------------------------------------------------------------------------- sequences

    def sequential(self) -> list[str]:
        items = self.made(self.plan.items)
        if any(child.bare for child in children(items)):
            name = self.free("layers")
            register = [f"for name, layer in {name}.items():", "    setattr(self, name, layer)"]
            return [*self.gathered(items, name), "super().__init__()", *register]
        if self.simple(items):
            if not items or positional(items):
                return self.lines(self.container("super().__init__", items))
            name = self.free("layers")
            return [*self.lines(self.keyed(items, f"{name} = ")), f"super().__init__(OrderedDict({name}))"]
        name = self.free("layers")
        return [*self.gathered(items, name), self.packed("super().__init__", items, name)]

    def free(self, wanted: str) -> str:
        name = free(wanted, self.local)
        self.local.add(name)
        return name

    def packed(self, head: str, items: Sequence[Item], name: str) -> str:
        return f"{head}(*{name})" if positional(items) else f"{head}(OrderedDict({name}))"

    def simple(self, items: Sequence[Item]) -> bool:
        """Whether some children can be written as one expression."""
        listed = positional(items)
        return all(
            (isinstance(item, Child) and not item.computed and (item.items is None or self.simple(item.items)))
            or (isinstance(item, Let) and not written(item))
            or (listed and isinstance(item, Loop) and generator(item))
            for item in items
        )

    def container(self, head: str, items: Sequence[Item], prefix: str = "") -> Entry:
        """A Sequential around its children: by position, or in an OrderedDict where they have names."""
        if not children(items):
            return Entry(head, prefix=prefix)
        if positional(items):
            entries = tuple(self.listed(items))
            return Entry(head, entries=entries, prefix=prefix, compact=compact(entries))
        if all(attribute(item.key) for item in children(items)):
            named = tuple(self.entry(item, f"{item.key}=") for item in items if isinstance(item, Child))
        else:
            named = (self.keyed(items),)
        return Entry(head, entries=(Entry("OrderedDict", entries=named),), prefix=prefix)

    def keyed(self, items: Sequence[Item], prefix: str = "") -> Entry:
        """A dictionary of the children by their names."""
        kept = [item for item in items if isinstance(item, Child)]
        entries = tuple(self.entry(item, f"{quoted(item.key or item.position)}: ") for item in kept)
        return Entry("", entries=entries, brackets=("{", "}"), prefix=prefix)

    def listed(self, items: Sequence[Item]) -> Iterator[Entry]:
        """Children by position; equal ones from a loop, in a row, as one."""
        for run in runs(items):
            if isinstance(run, Loop):
                (child,) = run.items
                assert isinstance(child, Child)
                yield Entry(child.head, child.arguments, loop=f"for {run.targets} in {run.over(run.iterable)}")
            elif len(run) >= FEWEST_GATHERED:
                loop = f"for _ in range({len(run)})"
                yield Entry(run[0].head, run[0].arguments, loop=loop, comment=self.comment(run[-1]))
            else:
                yield from map(self.entry, run)

    def entry(self, item: Child, prefix: str = "") -> Entry:
        if item.items is not None:
            return self.container(item.head, item.items, prefix)
        return Entry(item.head, item.arguments, prefix=prefix, comment=self.comment(item))

    # ------------------------------------------------------------------------------------------------- statements

    def gathered(self, items: Sequence[Item], name: str) -> list[str]:
        """Statements that put children into a list, or a dictionary where some have names."""
        items = self.made(items)
        listed = positional(items) and not any(child.bare for child in children(items))
        first = self.direct(items) if listed else []
        if first:
            entries = tuple(self.listed(first))
            begun_with = Entry("", entries=entries, brackets=("[", "]"), prefix=f"{name} = ", compact=compact(entries))
            return [*self.lines(begun_with), *self.added(items[len(first) :], name, listed)]
        return [f"{name} = {'[]' if listed else '{}'}", *self.added(items, name, listed)]

    def direct(self, items: Sequence[Item]) -> list[Child]:
        """The children at the beginning that need no statements of their own."""
        found: list[Child] = []
        for item in items:
            if not isinstance(item, Child) or not (item.items is None or self.simple(item.items)):
                break
            found.append(item)
        return found

    def added(self, items: Sequence[Item], name: str, listed: bool) -> list[str]:
        items = self.made(items)
        lines: list[str] = []
        at = 0
        while at < len(items):
            direct = self.direct(items[at:]) if listed else []
            if direct:
                lines += self.several(direct, name)
                at += len(direct)
            else:
                lines += self.one(items[at], name, listed)
                at += 1
        return lines

    def several(self, found: list[Child], name: str) -> list[str]:
        if len(found) == 1:
            entry = Entry(f"{name}.append", entries=(self.entry(found[0]),), compact=True)
            return self.lines(entry)
        entries = tuple(self.listed(found))
        return self.lines(
            Entry("", entries=entries, brackets=("[", "]"), prefix=f"{name} += ", compact=compact(entries))
        )

    def one(self, item: Item, name: str, listed: bool) -> list[str]:
        return [*self.answer(item), *self.put_in(item, name, listed)]

    def put_in(self, item: Item, name: str, listed: bool) -> list[str]:
        match item:
            case Child():
                return self.put(item, name, listed)
            case Choice():
                return list(self.choice(item, lambda inside: self.added(inside, name, listed)))
            case Loop():
                head, before = header(item, self.free, layout.WIDTH - layout.STEP * self.depth)
                return [*before, *head, *self.deeper(lambda: self.added(item.items, name, listed))]
            case Let():
                return list(let(item))
            case Assign():
                return [assigned(item)]
        return []

    def put(self, child: Child, name: str, listed: bool) -> list[str]:
        before: list[str] = []
        if child.items is None or self.simple(child.items):
            entry = self.entry(child)
        else:
            inner = self.variable(child)
            before = self.gathered(child.items, inner)
            packed = "*" + inner if positional(child.items) else f"OrderedDict({inner})"
            entry = Entry("nn.Sequential", (packed,))
            self.local.discard(inner)
        if listed:
            return [*before, *self.lines(Entry(f"{name}.append", entries=(entry,), compact=True))]
        key = child.key if child.computed else quoted(child.key or child.position)
        if not child.key and not child.position:
            key = f"str(len({name}))"
        return [*before, *self.lines(replace(entry, prefix=f"{name}[{key}] = "))]
