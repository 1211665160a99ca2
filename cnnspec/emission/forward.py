"""`forward` of a class: what runs after what, and how branches are joined."""

from __future__ import annotations

from collections.abc import Sequence

from cnnspec.emission import layout
from cnnspec.emission.items import Child, Choice, Item, Join, Loop, Side, children
from cnnspec.emission.layout import indented
from cnnspec.emission.naming import attribute, questions
from cnnspec.emission.statements import APART, OPEN, Statements, atom, child_key, is_silent, merged, paths
from cnnspec.network.model import LayerNode

OPERATORS = {"add": " + ", "residual": " + ", "multiply": " * "}
GATES = frozenset({"hardsigmoid", "sigmoid", "softmax"})
"""What a factor ends in that weighs the others."""

LONGEST_OPERAND = 40
"""A branch that says more than this gets a variable."""


class Forward(Statements):
    """Goes through the items of a class."""

    def body(self) -> list[str]:
        """The statements, not yet indented."""
        if self.plan.sides:
            self.lines.append("sides = []")
        if self.naming.choices:
            self.lines.append(f"choices = iter(self.{self.naming.choices})")
        if self.naming.dynamic:
            every = children(self.plan.items)
            if any(not child.bare for child in every):
                self.lines.append("layers = iter(self.children())")
            if any(child.bare for child in every):
                self.lines.append("scales = iter(self.parameters(recurse=False))")
        self.run(self.plan.items)
        result = self.value
        if self.plan.sides:
            self.flush()
            result = "(x, *sides) if self.training else x"
        self.lines += layout.commented(f"return {result}", "" if self.plan.sides else self.told, self.room)
        return self.lines

    # -------------------------------------------------------------------------------------------------- statements

    def run(self, items: Sequence[Item]) -> None:
        for item in items:
            match item:
                case Child():
                    self.child(item)
                case Join():
                    self.join(item)
                case Choice():
                    self.choice(item)
                case Loop():
                    self.loop(item)

    # ---------------------------------------------------------------------------------------------------- children

    def child(self, child: Child) -> None:
        node = child.first
        line = node.span.line if isinstance(node, LayerNode) else APART
        if self.naming.inline(child):
            if not child.silent:
                self.step(lambda x: f"torch.flatten({x}, 1)", self.comment(child), line)
            self.position += 1
            return
        if child.bare:
            scale = self.scale(child)
            self.step(lambda x: f"{scale} * {atom(x)}", "", line)
            return
        if self.naming.explicit and child.items and self.naming.attributes and self.written_out(child):
            return
        target = self.reached(child)
        about = self.comment(child)
        if "[" in target and isinstance(node, LayerNode) and self.naming.explicit:
            about = " -> ".join(filter(None, (child.head.removeprefix("nn."), about)))
        self.step(lambda x: f"{target}({x})", about, line)
        self.label = child.key if attribute(child.key) and not child.computed else ""
        if child.sides:
            self.collect(child)

    def reached(self, child: Child) -> str:
        if self.naming.attributes:
            return f"self.{self.naming.names[id(child)]}"
        if self.naming.dynamic:
            return "next(layers)"
        self.position += 1
        if not child.computed and attribute(child.key):
            return f"self.{child.key}"
        return f"self[{self.position - 1}]" if not self.naming.registered else f"self.get_submodule({child_key(child)})"

    def scale(self, child: Child) -> str:
        if self.naming.dynamic:
            return "next(scales)"
        key = child.key or child.position
        return f"self.{key}" if attribute(key) else f"self.get_parameter({child_key(child)})"

    def written_out(self, child: Child) -> bool:
        """Write out what runs inside a group, where all of it has a short path."""
        found = list(paths(child, f"self.{self.naming.names[id(child)]}"))
        longest = max((len(f"        return {path}(x)") for _, path in found if path), default=layout.WIDTH + 1)
        if longest > layout.WIDTH or not all(path for _, path in found):
            return False
        for inner, path in found:
            by_name = path.rpartition(".")[2].isidentifier()
            about = self.comment(inner)
            if not by_name:
                about = " -> ".join(filter(None, (inner.head.removeprefix("nn."), about)))
            self.flush()
            self.step(lambda x, path=path: f"{path}({x})", about, APART)  # type: ignore[misc]
            self.told = about
        return True

    def collect(self, child: Child) -> None:
        """Side outputs of a child."""
        self.flush()
        self.lines += [
            "if self.training:",
            f"    {self.target}, *inner = {self.target}",
            "    sides[:0] = inner",
        ]

    # -------------------------------------------------------------------------------------------------- conditions

    def choice(self, item: Choice) -> None:
        if not any(side.items for side in item.sides):
            return
        start = self.value
        if self.value != self.target and not self.simple:
            self.flush()
            start = self.target
        absent = self.naming.absent(item)
        if absent and len(item.sides) == 1 and start != self.target:
            text = self.alone(item.sides[0])
            if text:
                self.value = f"{start} if self.{absent} is None else {text}"
                self.line, self.told = APART, ""
                self.flush()
                return
        if start != self.target:
            self.lines.append(f"{self.target} = {start}")
            self.value = self.target
        tests = self.tests(item)
        word = "if"
        for side, test in zip(item.sides, tests, strict=True):
            if not side.items and not test:
                continue
            count = len(self.lines)
            self.lines.append(f"{word} {test}:" if test else "else:")
            self.inside(side.items)
            self.lines[count:] = merged(self.lines[count:]) if len(item.sides) == 1 else self.lines[count:]
            word = "elif"

    def tests(self, choice: Choice) -> list[str]:
        """The conditions of the sides; empty for else."""
        if absent := self.naming.absent(choice):
            return [f"self.{absent} is not None"]
        ((_, name),) = questions(choice)
        kept = self.answer(choice, name)
        if name != "chosen":
            return [kept, ""][: len(choice.sides)]
        if not kept.startswith("self."):
            chosen = self.name("chosen")
            self.lines.append(f"{chosen} = {kept}")
            kept = chosen
        return [f"{kept} == {number}" if side.test else "" for number, side in enumerate(choice.sides)]

    def alone(self, side: Side) -> str:
        """The value of one side as one expression; empty where it takes statements."""
        lines, value, told, line, taken = list(self.lines), self.value, self.told, self.line, set(self.taken)
        self.run(side.items)
        text = self.value if len(self.lines) == len(lines) else ""
        self.lines, self.value, self.told, self.line, self.taken = lines, value, told, line, taken
        return text if len(text) < self.room // 2 else ""

    def inside(self, items: Sequence[Item]) -> None:
        """Statements one step further in, from the target to the target."""
        outer, self.lines = self.lines, []
        self.depth += 1
        self.told, self.line = "", APART
        self.run(items)
        self.flush()
        self.depth -= 1
        self.lines = [*outer, *indented(self.lines or ["pass"])]
        self.line = APART

    def loop(self, item: Loop) -> None:
        if not children(item.items):
            return
        if not self.simple or self.value != self.target:
            self.flush()
        times = item.count if item.count.isdigit() else self.answer(item, "depth")
        self.lines.append(f"for _ in range({times}):")
        self.inside(item.items)

    # ---------------------------------------------------------------------------------------------------- branches

    def join(self, join: Join) -> None:
        if join.kind == "aux":
            self.aux(join)
            return
        if join.kind == "residual" and join.when == "False":
            self.run(join.branches[0])
            return
        branches = join.branches
        busy = [number for number, branch in enumerate(branches) if not self.naming.silent(branch)]
        kept = join.kind == "residual" or len(busy) < len(branches)
        if not self.simple:
            self.keep() if kept else self.flush()
        source, target = self.value, self.target
        known = {"skip": "", "cut": join.cut, "dim": join.dim} | self.answers(join)
        results = self.parts(join, source, known["cut"])
        for number in busy:
            free = number == busy[-1] and not join.cut and (len(busy) == 1 or join.kind != "concat")
            reused = free and (source != target or not kept) and number != gate(join)
            self.target = target if reused else self.name(self.branch_name(join, number, len(busy)))
            results[number] = self.branch(branches[number], results[number], last=free and join.kind != "concat")
        self.target = target
        self.value = self.joined(join, source, results, known)
        self.told = self.comment(join)
        self.line = APART if join.kind == "concat" or join.when else OPEN

    def answers(self, join: Join) -> dict[str, str]:
        """What the constructor kept about a join, in variables where it has to be kept."""
        found = {}
        for _, name in questions(join):
            found[name] = self.answer(join, name)
            if not found[name].startswith("self."):
                self.lines.append(f"{(variable := self.name(name))} = {found[name]}")
                found[name] = variable
        return found

    def parts(self, join: Join, source: str, cut: str) -> list[str]:
        """What the branches receive."""
        if not cut:
            return [source] * len(join.branches)
        names = [self.name(f"part{number}") for number in range(1, len(join.branches) + 1)]
        self.lines.append(f"{', '.join(names)} = {source}.chunk({len(names)}, dim={cut})")
        return names

    def branch_name(self, join: Join, number: int, busy: int) -> str:
        """What the value of a branch is called: like the one child with a name, or like its role."""
        items = join.branches[number]
        if len(items) == 1 and isinstance(items[0], Choice) and join.kind == "add":
            return "shortcut"
        keys = [child.key for child in children(items) if child.key]
        if len(keys) == 1 and busy > 1 and attribute(keys[0]) and not any(child.computed for child in children(items)):
            return keys[0]
        if number == gate(join):
            return "gate"
        return f"branch{number + 1}" if join.kind in ("concat", "multiply") and busy > 1 else "out"

    def branch(self, items: Sequence[Item], source: str, *, last: bool) -> str:
        """The variable with the value of one branch; a short expression where nothing runs before the join."""
        self.value, self.told, self.line = source, "", APART
        count = len(self.lines)
        self.run(items)
        if not (last and len(self.lines) == count and self.value.count("(") == 1 and len(self.value) < LONGEST_OPERAND):
            self.flush()
        return self.value

    def joined(self, join: Join, source: str, results: list[str], known: dict[str, str]) -> str:
        if join.kind == "concat":
            return f"torch.cat(({', '.join(results)}), dim={known['dim']})"
        if join.kind == "residual":
            (result,) = results
            both = f"{source} + {atom(result)}"
            return f"{both} if {known['skip']} else {result}" if known["skip"] else both
        return OPERATORS[join.kind].join(map(atom, results))

    def aux(self, join: Join) -> None:
        if not self.simple:
            self.flush()
        source, target = self.value, self.target
        outer, self.lines = self.lines, []
        always = self.naming.dynamic
        self.depth += 0 if always else 1
        self.target = self.name("side")
        self.told, self.line = "", APART
        self.run(join.branches[0])
        side = self.value
        if always:
            self.flush()
            side = self.target
        found = f"sides.insert(0, {side})"
        self.depth -= 0 if always else 1
        if always:
            self.lines = [*outer, *self.lines, "if self.training:", f"    {found}"]
        else:
            self.lines = [*outer, "if self.training:", *indented([*self.lines, found])]
        self.value, self.target, self.told, self.line = source, target, "", APART


def gate(join: Join) -> int | None:
    """The one factor that weighs the others: it is smaller than the product, or else has values from 0 to 1."""
    if join.kind != "multiply":
        return None
    last = [last_of(branch) for branch in join.branches]
    smaller = [number for number, item in enumerate(last) if item and item.outputs != join.outputs]
    bounded = [number for number, item in enumerate(last) if item and is_bounded(item)]
    found = smaller or bounded
    return found[0] if len(found) == 1 else None


def last_of(items: Sequence[Item]) -> Child | Join | None:
    """What gives the value of some items, where it is one for all uses."""
    ran = [item for item in items if not is_silent(item)]
    return ran[-1] if ran and isinstance(ran[-1], Child | Join) else None


def is_bounded(item: Child | Join) -> bool:
    if isinstance(item, Join):
        return False
    inside = item.items if item.cls is None else item.cls.items
    if inside:
        last = last_of(inside)
        return last is not None and is_bounded(last)
    return all(isinstance(node, LayerNode) and node.layer.word in GATES for node in item.nodes)
