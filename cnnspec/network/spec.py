"""One check of one source: its definitions, and the networks of its models."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cnnspec.data.facts import Dataset
from cnnspec.diagnostics import Diagnostic, Edit, Fix, Label
from cnnspec.layers.base import Shape
from cnnspec.network.agree import disagreements, unsuitable
from cnnspec.network.calls import bind_block
from cnnspec.network.evaluate import Scope, arguments, evaluate
from cnnspec.network.expand import Expander
from cnnspec.network.faults import predicted_sizes
from cnnspec.network.home import Homes, check_parameters
from cnnspec.network.model import CombineNode, LayerNode, Network, Node
from cnnspec.network.names import signature_of
from cnnspec.network.reading import UsageFault
from cnnspec.network.settings import Overrides
from cnnspec.network.trail import Trail
from cnnspec.network.walk import Walk
from cnnspec.recipe import Recipe
from cnnspec.record import REQUIRED, Record
from cnnspec.source import Source, Span
from cnnspec.syntax import tree
from cnnspec.words import Argument, CallValue, Faults, bind_arguments, closest
from cnnspec.words.edits import remove

if TYPE_CHECKING:
    from cnnspec.network.anysize.answer import Answer
    from cnnspec.network.anysize.opening import Opening


class Checked(Record):
    """What a check found: the networks without errors, and all diagnostics in the order of the text."""

    source: Source
    networks: tuple[Network, ...]
    diagnostics: tuple[Diagnostic, ...]
    file: tree.File
    """What could be read of the text."""
    placed: tuple[Node, ...]
    """The layers, groups and combinators whose shapes are known, in the order they run, also those of models with
    errors. Equal uses of a block share what is inside."""
    sizes: Mapping[str, Answer] = {}
    """For models whose input has open sizes, by name: for which of them they run."""

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(d for d in self.diagnostics if d.severity == "error")


class Spec:
    """One check of one source."""

    def __init__(
        self, source: Source, given: Overrides, train: bool, only: str | None, *, guesses: bool = True
    ) -> None:
        self.source, self.given, self.train, self.guesses = source, given, train, guesses
        self.found: dict[tuple[str, str, int, int], Diagnostic] = {}
        self.failed = False
        self.placed: list[Node] = []
        self.sizes: dict[str, Answer] = {}
        self.complete = True
        """Whether every model that was asked for has its values."""
        self.homes = Homes(self.report)
        self.file = self.homes.parse(source)
        self.home = self.homes.open(source, self.file)
        self.used: set[tuple[str, str]] = set()
        self.models = self._defined(tree.Model)
        self.presets = self._defined(tree.Preset, self.models)
        self.broken = self.failed
        if only and source.model and only != source.model:
            raise UsageFault(f"{source.model} is one model, and another is asked for: {only}")
        self.only = only or source.model
        self.folder = "" if source.name.startswith("<") else os.path.dirname(source.name)

    def report(self, *diagnostics: Diagnostic) -> None:
        """Keep what is new: one place has one fault of a kind, however often a block is expanded."""
        for diagnostic in diagnostics:
            span = diagnostic.span
            if diagnostic.code == "E402" and self._told(span):
                self.failed = True
                continue
            self.found.setdefault(_place(diagnostic), diagnostic)
            self.failed = self.failed or diagnostic.severity == "error"

    def _told(self, span: Span) -> bool:
        """Whether a fault in the bars of these branches is told of already."""
        return any(d.code == "E402" and any(label.span == span for label in d.labels) for d in self.found.values())

    def check(self) -> Checked:
        networks = tuple(self.networks())
        self._check_settings()
        told = [fault for fault in self.found.values() if not self.homes.explains(fault)]
        in_order = sorted(told, key=lambda d: (d.span.source is not self.source, d.span.start))
        if self.guesses and any(d.severity == "error" for d in in_order):
            in_order = self._proven(self._from_outside(in_order) if self.given.parameters else in_order)
        return Checked(self.source, networks, tuple(in_order), self.file, tuple(self.placed), self.sizes)

    def _from_outside(self, found: list[Diagnostic]) -> list[Diagnostic]:
        """Faults that the text has only with the values given from outside are not to be mended in the text."""
        stated = Spec(self.source, self.given.replace(parameters={}), self.train, self.only, guesses=False)
        stated.check()
        if not stated.complete:
            return found
        given = ", ".join(f"{name}={argument.span.text}" for name, argument in self.given.parameters.items())
        note = f"without the {given} that was given from outside there is no fault here"
        return [
            d if d.severity != "error" or _place(d) in stated.found else d.replace(fixes=(), notes=(*d.notes, note))
            for d in found
        ]

    def _proven(self, found: list[Diagnostic]) -> list[Diagnostic]:
        """Guesses are tried on the text before they are proposed."""
        from cnnspec.network.proof import proven

        def errors(source: Source) -> tuple[Diagnostic, ...]:
            return Spec(source, self.given, self.train, self.only, guesses=False).check().errors

        return proven(self.source, found, len(self.placed), errors)

    # -------------------------------------------------------------------------------------------------- definitions

    def _defined(self, kind: type, also: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The items of one kind by name; a name that is defined twice is reported and keeps its first meaning."""
        named: dict[str, Any] = {}
        items: list[Any] = [item for item in self.file.items if isinstance(item, kind)]
        for item in items:
            name = item.name.text
            first = named.get(name) or (also or {}).get(name)
            if first:
                label = Label(first.name.span, "first defined here")
                from cnnspec.network.habits import renamed

                message = f"{name} is defined twice"
                fix = renamed(name, item.name.span, {*named, *(also or {})})
                self.report(Diagnostic("E207", message, item.name.span, "again here", (label,), fixes=(fix,)))
            else:
                named[name] = item
                if isinstance(item, tree.Model):
                    check_parameters(item, self.report)
        return named

    # ----------------------------------------------------------------------------------------------------- networks

    def networks(self) -> Iterator[Network]:
        """Every model whose parameters have values, and every preset."""
        names = [item.name.text for item in self.file.items if isinstance(item, tree.Model | tree.Preset)]
        if self.only is not None and self.only not in names:
            raise UsageFault(f"there is no model {self.only}; there are {', '.join(names) or 'none'}")
        if not names and not self.broken:
            self._no_model()
        taken: dict[str, bool] = dict.fromkeys(self.given.parameters, False)
        for item in self.file.items:
            if isinstance(item, tree.Model | tree.Preset) and self.only in (None, item.name.text):
                self.failed = False
                try:
                    yield from self._network(item, taken)
                except Faults as wrong:
                    self.report(*wrong.diagnostics)
        unknown = [name for name, used in taken.items() if not used]
        if unknown and self.models:
            from cnnspec.network.likely import no_parameter

            known = list(dict.fromkeys(p.name.text for model in self.models.values() for p in model.params))
            raise UsageFault(f"no model here has a parameter {unknown[0]}{no_parameter(unknown[0], known)}")
        self._unused_blocks()

    def _no_model(self) -> None:
        """Nothing to check, unless the file is there for others to use."""
        start = self.source.span(0, min(1, len(self.source.text)))
        if self.home.places:
            note = "its blocks are checked where a model uses them"
            self.report(Diagnostic("N002", "there is no model in this file", start, "not checked", notes=(note,)))
        else:
            self.report(Diagnostic("E210", "there is no model in this file", start, "model NAME { } belongs here"))

    def _network(self, item: tree.Model | tree.Preset, taken: dict[str, bool]) -> Iterator[Network]:
        bound = self._preset(item) if isinstance(item, tree.Preset) else self._model(item)
        if bound is None:
            return
        model, call = bound
        parameters = {param.name.text for param in model.params}
        given = {name: a.value for name, a in self.given.parameters.items() if name in parameters}
        taken.update(dict.fromkeys(given, True))
        values = bind_block(model, call, self.home.lets, given)
        scope = self.home.lets.inner()
        scope.update(values)
        statement = self._input(model)
        opening = self._opening(model, statement, scope, item) if statement else None
        if opening:
            scope.update(opening.names)
            self.sizes |= {item.name.text: opening.answer} if opening.answer else {}
            self.report(*opening.told)
        shape, span = self._shape(statement, scope, opening) if statement else (None, model.name.span)
        walk = Walk(self.homes, model, self._reporter(item, opening), as_stated=self.given.input is None)
        walk.guesses = self.guesses
        root, flow = Expander(walk).root(model, scope, shape, span)
        self.placed += walk.placed
        self.used |= walk.used
        recipe, spans = self._recipe(item.name)
        if recipe and shape and flow.shape:
            last = flow.last if isinstance(flow.last, LayerNode | CombineNode) else None
            data_span = spans.get("data", item.name.span)
            faults = disagreements(
                shape, span, flow.shape, last, recipe.data, data_span, self._data(), written="data" in spans
            )
            trail = walk.trail(flow) if flow.origin else None
            self.report(*self._mended(map(self._explained, faults), trail, model, recipe.data))
            for setting, words in (("augment", recipe.augment), ("mix", recipe.mix), ("views", recipe.views)):
                self.report(*unsuitable(shape, words, spans.get(setting, item.name.span)))
        if recipe and root and (recipe.freeze or recipe.unfreeze_after):
            from cnnspec.network.freezing import wrongly_frozen

            self.report(*wrongly_frozen(item.name.text, root, recipe, spans))
        if recipe and root and (recipe.groups or recipe.init):
            from cnnspec.network.grouping import wrongly_chosen

            self.report(*wrongly_chosen(item.name.text, root, recipe, spans))
        if root and not self.failed and not self.broken:
            opened = opening.open if opening else None
            yield Network(item.name.text, self.source, root, values, recipe, self._data(), spans, opened)

    def _reporter(self, item: tree.Model | tree.Preset, opening: Opening | None) -> Callable[..., None]:
        """Reports faults of a model; those that show with the values of a preset name it, and those of shapes the sizes
        that were left open."""
        labels = (
            () if isinstance(item, tree.Model) else (Label(item.name.span, f"with the values of {item.name.text}"),)
        )
        note = opening.note if opening else ""
        if not labels and not note:
            return self.report

        def report(*faults: Diagnostic) -> None:
            for fault in faults:
                shapes = note and fault.code[:2] in ("E3", "E4")
                notes = (*fault.notes, note) if shapes else fault.notes
                fixes = () if shapes and fault.code in ("E301", "E305") else fault.fixes  # right for one size alone
                self.report(fault.replace(labels=(*fault.labels, *labels), notes=notes, fixes=fixes))

        return report

    def _mended(
        self, found: Iterable[Diagnostic], trail: Trail | None, model: tree.Model, data: Dataset
    ) -> Iterator[Diagnostic]:
        """Disagreements with the data set: what follows from a wrong input is silent, a wrong output has its edit."""
        from cnnspec.network.habits import outputs

        for fault in found:
            if fault.code == "E501":
                for key, other in list(self.found.items()):
                    if other.code == "E301" and any(e.span == fault.span for fix in other.fixes for e in fix.edits):
                        del self.found[key]
            classes = data.facts(self._data()).classes if fault.code == "E502" else None
            fixes = outputs(trail, model, len(classes)) if trail and classes else ()
            yield fault.replace(fixes=fixes or fault.fixes)

    def _explained(self, fault: Diagnostic) -> Diagnostic:
        """A map at the end of a network because flatten is missing: the warning about that becomes the reason."""
        warnings = {key: d for key, d in self.found.items() if d.code == "W001"}
        if fault.code != "E503" or not warnings:
            return fault
        for key in warnings:
            del self.found[key]
        missing = next(iter(warnings.values()))
        label = Label(missing.span, "acts on the last axis of a map: flatten is missing")
        return fault.replace(labels=(label, *fault.labels), fixes=missing.fixes)

    def _data(self) -> str:
        """Where relative paths of the data start: beside the spec, unless the data set came from outside."""
        return "" if "data" in self.given.settings else self.folder

    def _model(self, model: tree.Model) -> tuple[tree.Model, CallValue] | None:
        missing = [
            name
            for name, parameter in signature_of(model).parameters.items()
            if parameter.default is REQUIRED and name not in self.given.parameters
        ]
        span = model.name.span
        if not missing:
            return model, CallValue(model.name.text, (), span, span)
        asked = self.only == model.name.text
        if asked or not any(self._names(preset) == model.name.text for preset in self.presets.values()):
            self.complete = False
            message = f"{model.name.text} is not checked: there is no value for {' and '.join(missing)}"
            notes = (f"`model name = {model.name.text}(...)` gives values, or --set {missing[0]}=...",)
            self.report(Diagnostic("N002", message, span, "not checked", notes=notes))
        return None

    def _names(self, preset: tree.Preset) -> str:
        return preset.value.name.text if isinstance(preset.value, tree.Call) else preset.value.text

    def _preset(self, preset: tree.Preset) -> tuple[tree.Model, CallValue]:
        name, value = self._names(preset), preset.value
        span = value.name.span if isinstance(value, tree.Call) else value.span
        if name not in self.models:
            known = f"there are {', '.join(self.models)}" if self.models else "there are none"
            raise Faults(Diagnostic("E210", f"there is no model {name} above", span, "not a model", notes=(known,)))
        given = arguments(value, self.home.lets) if isinstance(value, tree.Call) else ()
        return self.models[name], CallValue(name, given, value.span, span)

    # -------------------------------------------------------------------------------------------------------- input

    def _input(self, model: tree.Model) -> tree.Input | None:
        """The one input of a model, which stands before its layers."""
        found = [s for s in model.body.statements if isinstance(s, tree.Input)]
        if not found:
            if not self.broken:
                message = f"{model.name.text} has no input"
                from cnnspec.network.habits import inputs

                recipe, _ = self._recipe(model.name)
                shape = recipe.data.facts(self._data()).shape if recipe else None
                fix = inputs(model, Shape(shape) if shape else None)
                self.report(Diagnostic("E211", message, model.name.span, "input is missing", fixes=fix))
            return None
        for extra in found[1:]:
            label = Label(found[0].span, "first here")
            fix = (Fix("leave it out", (remove(extra.span),)),)
            message = f"{model.name.text} has two inputs"
            self.report(Diagnostic("E211", message, extra.span, "again here", (label,), fixes=fix))
        before = model.body.statements[: model.body.statements.index(found[0])]
        if any(isinstance(statement, tree.Chain) for statement in before):
            message = "the input stands behind a layer"
            from cnnspec.network.habits import moved_up

            fix = (moved_up(before[0], found[0]),)
            self.report(Diagnostic("E211", message, found[0].span, "belongs first in the model", fixes=fix))
        return found[0]

    def _opening(
        self, model: tree.Model, statement: tree.Input, scope: Scope, item: tree.Model | tree.Preset
    ) -> Opening | None:
        """The answer for all sizes, where the input leaves some open."""
        if not _has_names(statement.shape):
            return None
        from cnnspec.network.anysize.opening import leaves_open, opening

        if not leaves_open(statement.shape, scope):
            return None
        recipe, _ = self._recipe(item.name)
        data = recipe.data.facts(self._data()).shape if recipe else None
        return opening(self.homes, model, scope, statement, self.given.input, Shape(data) if data else None)

    def _shape(self, statement: tree.Input, scope: Scope, opening: Opening | None) -> tuple[Shape, Span]:
        if opening:
            return opening.shape, self.given.input.span if self.given.input else statement.shape.span
        override = self.given.input
        value = override.value if override else evaluate(statement.shape, scope)
        span = override.span if override else statement.shape.span
        sizes = predicted_sizes(value, span)
        known = tuple(size for size in sizes if size is not None)
        if len(known) < len(sizes) or len(known) > 4:
            note = "an input is 3x32x32 (channels, height, width), 1x16000, 1x16x64x64 or a number of features"
            asked = len(known) < len(sizes)
            message = "an input is given, and ? asks for one" if asked else "an input has one to four sizes"
            code = "E208" if asked else "E302"
            fixes: tuple[Fix, ...] = ()
            if asked and len(sizes) in (2, 3, 4):
                names = "x".join(("3", *{2: "L", 3: "HW", 4: "DHW"}[len(sizes)]))
                fixes = (Fix(f"a size that is left open has a name: {names}"),)
            elif not asked:
                from cnnspec.network.habits import without_batch

                fixes = (without_batch(span, known),)
            raise Faults(Diagnostic(code, message, span, "not an input", notes=(note,), fixes=fixes))
        return Shape(known), span

    # ----------------------------------------------------------------------------------------------------- training

    def _recipe(self, model: tree.Identifier) -> tuple[Recipe | None, dict[str, Span]]:
        """The settings for a model and their places: `train { }`, then `train NAME { }`, then those from outside."""
        blocks = [t for t in self.file.items if isinstance(t, tree.Train) and t.model is None]
        blocks += [t for t in self.file.items if isinstance(t, tree.Train) and t.model and t.model.text == model.text]
        if not (blocks or self.given.settings or self.train):
            return None, {}
        settings: dict[str, Argument] = {}
        for block in blocks:
            settings |= self._settings(block)
        settings |= self.given.settings
        recipe, spans = self._bound(settings, blocks[-1].span if blocks else model.span)
        if recipe and recipe.weights:
            recipe = recipe.replace(weights=recipe.weights.at("" if "weights" in self.given.settings else self.folder))
        return recipe, spans

    def _bound(self, settings: Mapping[str, Argument], span: Span) -> tuple[Recipe | None, dict[str, Span]]:
        """The recipe of some settings, and the place of each."""
        spans: dict[str, Span] = {}
        call = CallValue("train", tuple(settings.values()), span, span)
        try:
            values = bind_arguments("train", Recipe.parameters(), call, refers=Recipe.signature(), spans=spans)
        except Faults as wrong:
            self.report(*wrong.diagnostics)
            return None, {}
        return Recipe(**values), spans

    def _settings(self, block: tree.Train) -> dict[str, Argument]:
        settings: dict[str, Argument] = {}
        for setting in block.settings:
            name = setting.name.text
            if name in settings:
                first = settings[name].name_span
                labels = (Label(first, "first here"),) if first else ()
                fix = Fix("leave this one out", (remove(setting.name.span.to(setting.value.span)),))
                message = f"{name} is set twice"
                self.report(Diagnostic("E205", message, setting.name.span, "again here", labels, fixes=(fix,)))
            try:
                value = evaluate(setting.value, self.home.lets)
                settings[name] = Argument(name, value, setting.value.span, setting.name.span)
            except Faults as wrong:
                self.report(*wrong.diagnostics)
        return settings

    def _check_settings(self) -> None:
        """Every `train { }` by itself: also one whose model has errors, or is not there."""
        models = {**self.models, **self.presets}
        seen: dict[str, Span] = {}
        for item in self.file.items:
            if not isinstance(item, tree.Train):
                continue
            name = item.model.text if item.model else ""
            word = item.span.first_word
            place = word.to(item.model.span) if item.model else word
            if name in seen:
                labels = (Label(seen[name], "first here"),)
                message = f"the training of {name or 'all models'} is described twice"
                self.report(Diagnostic("E207", message, place, "again here", labels))
            seen.setdefault(name, place)
            if item.model and item.model.text not in models:
                message = f"there is no model {item.model.text} to train"
                span = item.model.span
                close = [each for each in models if each.lower() == span.text.lower()] or closest(span.text, models)
                fixes = tuple(Fix(f"did you mean {each}?", (Edit(span, each),)) for each in close[:1])
                notes = () if fixes or not models else (f"there are {', '.join(models)}",)
                self.report(Diagnostic("E210", message, span, "not a model", notes=notes, fixes=fixes))
            self._bound(self._settings(item), item.span)

    def _mentioned(self) -> set[str]:
        """Blocks that models mention, and the blocks these mention: an `if` may have passed one by."""
        ahead: list[tree.Node] = [item for item in self.file.items if not isinstance(item, tree.Block)]
        found: set[str] = set()
        while ahead:
            for node in tree.walk(ahead.pop()):
                name = node.name if isinstance(node, tree.Call) else node
                if isinstance(name, tree.Name | tree.Identifier) and name.text not in found:
                    found.add(name.text)
                    ahead += [self.home.blocks[name.text]] if name.text in self.home.blocks else []
        return found

    def _unused_blocks(self) -> None:
        """Blocks that no model reaches; silent where a fault may have hidden the use, and in a file without models,
        whose blocks are for others."""
        if self.only is not None or not self.models or any(d.severity == "error" for d in self.found.values()):
            return
        own = [name for name in self.home.blocks if name in self.home.own]
        unused = [name for name in own if (self.source.name, name) not in self.used]
        mentioned = self._mentioned() if unused else set()
        for name in unused:
            if name not in mentioned:
                note = "only blocks that a model uses are checked"
                place = self.home.blocks[name].name.span
                self.report(Diagnostic("W002", f"no model uses {name}", place, "not used", notes=(note,)))


def _has_names(shape: tree.Expr) -> bool:
    """Whether an input may leave sizes open."""
    if isinstance(shape, tree.Dims):
        return any(isinstance(size, str) for size in shape.sizes)
    return isinstance(shape, tree.List) and any(isinstance(item, tree.Name) for item in shape.items)


def _place(diagnostic: Diagnostic) -> tuple[str, str, int, int]:
    """What tells a fault from others."""
    span = diagnostic.span
    return diagnostic.code, span.source.name, span.start, span.end
