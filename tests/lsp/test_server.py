"""Every feature, end to end: a client asks, the server answers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from editor import Editor
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.uris import to_fs_path

import cnnspec
from cnnspec.lsp.semantic import TYPES

ROOT = Path(__file__).parents[2]
EXAMPLE = (ROOT / "examples" / "tinycnn3.cnn").read_text(encoding="utf-8")
FAULTY = (ROOT / "docs" / "faulty" / "lenet.cnn").read_text(encoding="utf-8")

pytestmark = pytest.mark.asyncio(loop_scope="session")


# ------------------------------------------------------------------------------------------------------ diagnostics


async def test_diagnostics(editor: Editor) -> None:
    await editor.open(FAULTY)
    (fault,) = editor.diagnostics
    assert (fault.code, fault.severity, fault.source) == ("E301", types.DiagnosticSeverity.Error, "cnnspec")
    assert editor.at(fault.range) == "400"
    assert fault.message.startswith("linear is written for 400 features, but 256 arrive\n")
    assert "16 x 4 x 4 = 256" in fault.message
    assert fault.code_description
    assert Path(to_fs_path(fault.code_description.href) or "").read_text(encoding="utf-8")
    related = fault.related_information or []
    assert [(r.location.uri, editor.at(r.location.range)) for r in related] == [(editor.uri, "flatten")]


async def test_diagnostics_follow_what_is_typed(editor: Editor) -> None:
    await editor.open(EXAMPLE)
    assert editor.diagnostics == []
    await editor.change(EXAMPLE.replace("relu\n", "reluu\n", 1))
    assert [(d.code, editor.at(d.range)) for d in editor.diagnostics] == [("E201", "reluu")]
    await editor.change(EXAMPLE.replace("conv(width", "conv(width width", 1))
    assert [d.code for d in editor.diagnostics] == ["E101"]
    await editor.change(EXAMPLE)
    assert editor.diagnostics == []
    await editor.change(EXAMPLE.replace("2048 ->", "? ->"))
    assert [(d.code, d.severity) for d in editor.diagnostics] == [("N001", types.DiagnosticSeverity.Information)]
    await editor.close()
    assert editor.diagnostics == []


async def test_only_the_last_of_many_changes_counts(editor: Editor) -> None:
    await editor.open(EXAMPLE)
    for size in range(900, 905):
        editor.version += 1
        document = types.VersionedTextDocumentIdentifier(editor.version, editor.uri)
        text = types.TextDocumentContentChangeWholeDocument(EXAMPLE.replace("2048 ->", f"{size} ->"))
        editor.client.text_document_did_change(types.DidChangeTextDocumentParams(document, [text]))
    await editor.change(EXAMPLE.replace("2048 ->", "905 ->"))
    while not any("905" in fault.message for fault in editor.diagnostics):
        await editor.client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    assert [fault.code for fault in editor.diagnostics] == ["E301"]


async def test_a_character_is_counted_as_the_editor_counts_it(editor: Editor) -> None:
    await editor.open(
        'train { data: folder(path="𝔘𝔘") , epochs: 0 }\nmodel A {\n  input 3x8x8\n  flatten, linear(2)\n}\n'
    )
    (fault,) = editor.diagnostics
    assert editor.at(fault.range) == "0"
    assert fault.range.start.character == len('train { data: folder(path="𝔘𝔘") , epochs: ') + 2


async def test_faults_of_a_used_file_are_shown_where_it_is_used(editor: Editor) -> None:
    (editor.folder / "parts.cnn").write_text("block Part { conv(8) }\n")
    await editor.open('use "parts.cnn"\nmodel A {\n  input 3x8x8\n  Part\n}\n', saved=True)
    (fault,) = editor.diagnostics
    assert (fault.code, editor.at(fault.range)) == ("E203", "Part")
    (first, *_) = fault.related_information or []
    assert first.location.uri == (editor.folder / "parts.cnn").as_uri()


async def test_a_saved_file_is_read_anew_where_it_is_used(editor: Editor) -> None:
    asked = asyncio.Event()

    @editor.client.feature(types.WORKSPACE_INLAY_HINT_REFRESH)
    def refresh(params: None) -> None:
        asked.set()

    parts = editor.folder / "parts.cnn"
    parts.write_text("block Part { conv(8) }\n")
    await editor.open('use "parts.cnn"\nmodel A {\n  input 3x8x8\n  Part\n}\n', saved=True)
    assert [fault.code for fault in editor.diagnostics] == ["E203"]
    parts.write_text("block Part { conv(8, 3) }\n")
    editor.client.text_document_did_save(types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(parts.as_uri())))
    while editor.diagnostics:
        await editor.client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    await asyncio.wait_for(asked.wait(), 10)
    assert await editor.hints() == {2: "3x8x8 -> 8x6x6 · 224", 4: "8x6x6 · 224"}


# ------------------------------------------------------------------------------------------------------------ hints


async def test_hints(editor: Editor) -> None:
    await editor.open(EXAMPLE)
    found = await editor.hints()
    lines = {line: number for number, line in enumerate(EXAMPLE.splitlines(), 1)}
    assert found[lines["  maxpool(2)"]] == "32x16x16 | 64x8x8 | 128x4x4"
    assert found[lines["    Pair(64)"]] == "64x8x8 · 55,424"
    assert found[lines["    linear(classes)"]] == "10 · 2,570"
    assert found[lines["model TinyCNN3(classes=10) {"]] == "3x32x32 -> 10 · 814,122"
    assert lines["train {"] not in found


async def test_hints_stand_behind_the_code(editor: Editor) -> None:
    await editor.open("model A {\n  input 3x8x8\n  conv(8, 3)  # first\n  flatten\n}\n")
    params = types.InlayHintParams(editor.document, editor.places.whole)
    found = await editor.client.text_document_inlay_hint_async(params) or []
    assert [(hint.position.line, hint.position.character) for hint in found] == [(0, 9), (2, 12), (3, 9)]
    first = types.Range(types.Position(2, 0), types.Position(2, 3))
    some = await editor.client.text_document_inlay_hint_async(types.InlayHintParams(editor.document, first)) or []
    assert [hint.label for hint in some] == ["8x6x6 · 224"]


async def test_many_uses_are_shortened(editor: Editor) -> None:
    widths = ", ".join(str(8 * at) for at in range(1, 9))
    await editor.open(f"model A {{\n  input 3x8x8\n  for w in [{widths}] {{\n    conv(w, 1, bias=false)\n  }}\n}}\n")
    assert (await editor.hints())[4] == "8x8x8 | 16x8x8 | … | 64x8x8 · 24 | 128 | … | 3,584"


async def test_hints_of_a_text_with_faults(editor: Editor) -> None:
    """Shapes up to a fault stand; behind it nothing is claimed until a shape is known again."""
    text = (
        "model A {\n  input 3x8x8\n  conv(8, 3)\n  conv(8, 3, nonsense=1)\n  relu\n  flatten\n  linear(10)\n  relu\n}\n"
    )
    await editor.open(text)
    assert await editor.hints() == {3: "8x6x6 · 224", 8: "10"}
    await editor.change(text.replace("nonsense=1", "3 3"))
    assert [d.code for d in editor.diagnostics] == ["E101"]
    assert await editor.hints() == {3: "8x6x6 · 224", 8: "10"}


# ------------------------------------------------------------------------------------------------------------ hover


async def test_hover_over_a_layer(editor: Editor) -> None:
    await editor.open(EXAMPLE.replace("  conv(width", "  co§nv(width", 1))
    shown = await editor.hover()
    assert "conv(out, kernel, stride=1" in shown
    assert "Slides a window with learned weights" in shown
    assert "**3x32x32 → 32x32x32**" in shown
    assert "size: 32 + 2*1 - 3 + 1 = 32" in shown
    assert "parameters: 896 = weight 32x3x3x3 + bias 32" in shown
    assert "MACs: 884,736" in shown
    assert "receptive field: 3x3 step 1" in shown
    assert shown.count("→") == 3


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "  Pair(64)",
            "  Pa§ir(64)",
            ["Pair(width)", "TinyCNN3: three conv blocks", "**32x16x16 → 64x8x8**", "55,424"],
        ),
        ("(width, 3", "(wi§dth, 3", ["a parameter of Pair"]),
        ("padding=1", "pad§ding=1", ["padding=0", "same or valid"]),
        ("data: cifar10", "data: cifar§10", ["60,000 photographs"]),
        ("epochs: 15", "epo§chs: 15", ["epochs: 10", "Passes over the training data"]),
        ("lr=1e-3", "l§r=1e-3", ["lr=0.001", "a number above 0"]),
        ("crop(", "cro§p(", ["crop(padding=4, mode=zeros)"]),
        ("batch: 128", "batch: 1§28", []),
    ],
)
async def test_hover(editor: Editor, old: str, new: str, expected: list[str]) -> None:
    await editor.open(EXAMPLE.replace(old, new, 1))
    shown = await editor.hover()
    assert [part for part in expected if part not in shown] == []
    assert bool(shown) == bool(expected)


async def test_hover_over_a_layer_in_a_loop(editor: Editor) -> None:
    """Equal shapes are one use; what they see grows from pass to pass."""
    await editor.open("model A {\n  input 8x8x8\n  repeat 3 { c§onv(8, 3, padding=1) }\n}\n")
    shown = await editor.hover()
    assert shown.count("→") == 1
    assert "receptive field: 3x3 step 1, then up to 7x7 step 1" in shown


async def test_hover_in_a_text_with_faults(editor: Editor) -> None:
    await editor.open("model A {\n  input 3x8x8\n  co§nv(8, 3)\n  maxpool(9)\n}\n")
    assert "**3x8x8 → 8x6x6**" in await editor.hover()


# ------------------------------------------------------------------------------------------------------- completion


@pytest.mark.parametrize(
    ("old", "new", "there", "absent"),
    [
        ("  maxpool(2)\n", "  max§\n", {"maxpool", "Pair", "add", "repeat"}, {"width", "epochs", "model", "min"}),
        ("relu, dropout", "relu, dro§", {"dropout", "Pair"}, {"repeat", "let"}),
        ("conv(width, 3, padding=1)", "conv(width, 3, §)", {"stride=", "padding=", "width", "max"}, {"out=", "relu"}),
        ("padding=1)", "padding=§)", {"same", "valid", "width"}, {"stride=", "classes"}),
        ("padding=1)", "padding_mode=§)", {"zeros", "reflect", "width"}, {"same", "max", "stride="}),
        ("batch: 128", "§", {"batch", "validation"}, {"conv", "data="}),
        ("data: cifar10", "data: §", {"cifar10", "mnist"}, {"adamw", "conv", "classes"}),
        ("crop(padding=4)", "§", {"crop", "flip"}, {"cifar10"}),
        ("lr=1e-3", "§", {"lr="}, {"out="}),
        ("batch: 128", "freeze: [§]", {"features", "classifier", "features.1.0"}, {"features.0.1", "conv", "Pair"}),
        ("batch: 128", "freeze: [§", {"features", "classifier"}, {"conv", "adamw"}),
        ("conv(width", "conv(x.§", {"channels", "height"}, {"width=", "conv"}),
        ("train {", "block B {\n  linear(§)\n}\ntrain {", {"out=", "bias="}, {"width", "classes"}),
        ("# Tiny", "# §Tiny", set(), {"model"}),
        ("train {", "§\ntrain {", {"model", "block", "train", "let", "use"}, {"conv", "repeat"}),
        ("train {", "model small = §\ntrain {", {"TinyCNN3"}, {"Pair"}),
    ],
)
async def test_completion(editor: Editor, old: str, new: str, there: set[str], absent: set[str]) -> None:
    assert old in EXAMPLE
    await editor.open(EXAMPLE.replace(old, new, 1))
    found = set(await editor.completion())
    assert there <= found
    assert not absent & found


async def test_completion_says_what_it_offers(editor: Editor) -> None:
    await editor.open(EXAMPLE.replace("  maxpool(2)\n", "  §\n", 1))
    conv = (await editor.completion())["conv"]
    assert (conv.detail or "").startswith("conv(out, kernel, stride=1")
    assert isinstance(conv.documentation, types.MarkupContent)
    assert (conv.insert_text, conv.insert_text_format) == ("conv($0)", types.InsertTextFormat.Snippet)


async def test_what_is_most_likely_meant_comes_first(editor: Editor) -> None:
    await editor.open(EXAMPLE.replace("width, 3, padding=1", "width, §", 1))
    found = sorted((await editor.completion()).values(), key=lambda item: item.sort_text or "")
    assert [item.label for item in found][:2] == ["kernel=", "stride="]


async def test_completion_of_layers_as_values(editor: Editor) -> None:
    text = "block Unit(act=relu) { act }\nmodel A {\n  input 3x8x8\n  Unit(act=§)\n}\n"
    await editor.open(text)
    assert {"silu", "tanh"} <= set(await editor.completion())


# -------------------------------------------------------------------------------------------------------- signatures


@pytest.mark.parametrize(
    ("old", "new", "label", "active"),
    [
        ("conv(width, 3", "conv(width, §3", "conv(out, kernel", 1),
        ("padding=1)", "padding=§1)", "conv(out, kernel", 3),
        ("Pair(64)", "Pair(§64)", "Pair(width)", 0),
        ("lr=1e-3", "lr=1e-3§", "adamw(lr=0.001", 0),
        ("conv(width, 3", "conv(max(width, §3), 3", "max(number, ...)", None),
        ("train {", "model small = TinyCNN3(§)\ntrain {", "TinyCNN3(classes=10)", 0),
    ],
)
async def test_signature_help(editor: Editor, old: str, new: str, label: str, active: int | None) -> None:
    await editor.open(EXAMPLE.replace(old, new, 1))
    found = await editor.signature()
    assert found
    assert found.signatures[0].label.startswith(label)
    assert found.active_parameter == active


async def test_no_signature_outside_of_calls(editor: Editor) -> None:
    await editor.open(EXAMPLE.replace("  maxpool(2)", "  maxpool(2)§", 1))
    assert await editor.signature() is None


# ----------------------------------------------------------------------------------------------------------- fixes


async def test_quick_fixes(editor: Editor) -> None:
    """Each of them mends the fault."""
    marked = FAULTY.replace("400", "4§00")
    await editor.open(marked)
    found = await editor.actions(types.CodeActionKind.QuickFix)
    assert any("size that arrives" in action.title for action in found)
    for action in found:
        assert [d.code for d in action.diagnostics or []] == ["E301"]
        assert action.edit
        assert action.edit.changes
        await editor.change(editor.after(list(action.edit.changes[editor.uri])))
        assert editor.diagnostics == []
        await editor.change(marked)


async def test_all_safe_fixes_at_once(editor: Editor) -> None:
    text = "model A {\n  input 3x8x8\n  conv(8, 3)  -> ?\n  flatten\n  linear(? -> 10)\n}\n"
    await editor.open(text)
    assert [d.code for d in editor.diagnostics] == ["N001", "N001"]
    (action,) = await editor.actions(types.CodeActionKind.SourceFixAll)
    assert action.edit
    assert action.edit.changes
    await editor.change(editor.after(list(action.edit.changes[editor.uri])))
    assert editor.text == text.replace("-> ?", "-> 8x6x6").replace("? ->", "288 ->")
    assert editor.diagnostics == []


async def test_lints_are_shown(editor: Editor) -> None:
    await editor.open("model A {\n  input 3x8x8\n  conv(8, 3), batchnorm, relu\n  flatten, linear(10)\n}\n")
    assert [(d.code, d.severity) for d in editor.diagnostics] == [("W101", types.DiagnosticSeverity.Warning)]


async def test_no_fix_elsewhere(editor: Editor) -> None:
    await editor.open("§" + FAULTY)
    assert await editor.actions(types.CodeActionKind.QuickFix) == []


# ------------------------------------------------------------------------------------------------------- navigation


async def test_definition(editor: Editor) -> None:
    await editor.open(EXAMPLE.replace("Pair(64)", "Pa§ir(64)"))
    found = await editor.definition()
    assert found
    assert (found.uri, editor.line(found.range), editor.at(found.range)) == (editor.uri, 2, "Pair")


async def test_definition_in_another_file(editor: Editor) -> None:
    (editor.folder / "parts.cnn").write_text("block Part { relu }\n")
    await editor.open('use "parts.cnn"\nmodel A {\n  input 3x8x8\n  P§art\n}\n', saved=True)
    found = await editor.definition()
    assert found
    assert (found.uri, found.range.start) == ((editor.folder / "parts.cnn").as_uri(), types.Position(0, 6))


async def test_references_and_highlights(editor: Editor) -> None:
    await editor.open(EXAMPLE.replace("block Pair", "block P§air"))
    context = types.ReferenceContext(include_declaration=True)
    found = await editor.client.text_document_references_async(types.ReferenceParams(context, *editor.here)) or []
    lines = [number for number, line in enumerate(EXAMPLE.splitlines(), 1) if "Pair(" in line]
    assert [editor.line(place.range) for place in found] == lines
    marked = await editor.client.text_document_document_highlight_async(types.DocumentHighlightParams(*editor.here))
    assert [editor.line(place.range) for place in marked or []] == lines


RENAMES = [
    ("block P§air", "Twice", ["Pair("], ["Twice("]),
    ("Pair(wi§dth)", "out", ["width"], ["out"]),
    ("(cla§sses=10)", "labels", ["classes"], ["labels"]),
    ("feat§ures:", "body", ["features:"], ["body:"]),
    ("model Tiny§CNN3", "Small", ["model TinyCNN3"], ["model Small"]),
]


@pytest.mark.parametrize(("mark", "name", "old", "new"), RENAMES, ids=[name for _, name, _, _ in RENAMES])
async def test_rename(editor: Editor, mark: str, name: str, old: list[str], new: list[str]) -> None:
    await editor.open(EXAMPLE.replace(mark.replace("§", ""), mark))
    prepared = await editor.client.text_document_prepare_rename_async(types.PrepareRenameParams(*editor.here))
    assert isinstance(prepared, types.Range)
    assert editor.at(prepared) in mark.replace("§", "")
    renamed = editor.after((await editor.rename(name))[editor.uri])
    assert renamed == EXAMPLE.replace(old[0], new[0])
    before, after = (cnnspec.load(cnnspec.text(text)) for text in (EXAMPLE, renamed))
    assert after.parameters == before.parameters


@pytest.mark.parametrize("begin", ["parts.cnn", "net.cnn"])
async def test_rename_in_all_files(editor: Editor, begin: str) -> None:
    """A block, wherever its name is changed; what other files say of it is changed as well."""
    texts = {
        "parts.cnn": "block Part(width) { conv(width, 3) }\nblock Two { Part(8) }\n",
        "net.cnn": 'use "parts.cnn"\nmodel A {\n  input 3x8x8\n  Part(4), Two\n}\n',
        "other.cnn": 'use "parts.cnn"\nblock Own { Part(2) }\n',
        "apart.cnn": "block Part { relu }\nmodel B {\n  input 3\n  Part\n}\n",
    }
    for name, text in texts.items():
        (editor.folder / name).write_text(text)
    await editor.open(texts[begin].replace("Part(", "P§art(", 1), begin)
    found = {name: (editor.folder / name).as_uri() for name in texts}
    changes = await editor.rename("Piece")
    counts = {name: len(changes.get(uri, [])) for name, uri in found.items()}
    assert counts == {"parts.cnn": 2, "net.cnn": 1, "other.cnn": 1, "apart.cnn": 0}


async def test_rename_of_loop_names_reaches_computed_labels(editor: Editor) -> None:
    text = 'model A {\n  input 3x8x8\n  for §i in [1, 2] {\n    "c{i + 1}": conv(i * 8, 3)\n  }\n}\n'
    await editor.open(text)
    renamed = editor.after((await editor.rename("at"))[editor.uri])
    assert renamed == text.replace("§i", "at").replace("{i +", "{at +").replace("(i *", "(at *")
    keys = [layer.path for layer in cnnspec.load(cnnspec.text(renamed)).layers]
    assert keys == ["c2", "c3"]


async def test_rename_of_an_argument_follows_its_calls(editor: Editor) -> None:
    text = "block Unit(wi§dth) { conv(width, 1) }\nmodel A {\n  input 3x8x8\n  Unit(width=4)\n}\n"
    await editor.open(text)
    assert "Unit(out=4)" in editor.after((await editor.rename("out"))[editor.uri])


@pytest.mark.parametrize(
    ("text", "name", "why"),
    [
        (EXAMPLE.replace("block Pair", "block P§air"), "pair", "upper-case"),
        (EXAMPLE.replace("(classes=10)", "(cl§asses=10)"), "input", "word of the language"),
        (EXAMPLE.replace("(classes=10)", "(cl§asses=10)"), "two words", "no name"),
        ("let n = 1\nmodel A(m§m=2) {\n  input 3\n  linear(mm + n)\n}\n", "n", "another meaning"),
        ("model A(a§a=2, b=3) {\n  input 3\n  linear(aa)\n}\n", "b", "another meaning|already"),
        ("model A {\n  input 3\n  one§: relu\n  two: relu\n}\n", "two", "two children"),
        ("model A {\n  input 3\n  one§: relu\n}\n", "forward", "every PyTorch module has a forward"),
        ("block U(w§w) { conv(ww, 1) }\nmodel A(u=U) {\n  input 3x8x8\n  u(ww=3)\n}\n", "w", "another block"),
    ],
)
async def test_renames_that_are_refused(editor: Editor, text: str, name: str, why: str) -> None:
    await editor.open(text)
    with pytest.raises(JsonRpcException, match=why):
        await editor.rename(name)


# ---------------------------------------------------------------------------------------------- outline and colours


async def test_document_symbols(editor: Editor) -> None:
    await editor.open(EXAMPLE)
    params = types.DocumentSymbolParams(editor.document)
    found = await editor.client.text_document_document_symbol_async(params) or []
    outline = {each.name: [inside.name for inside in getattr(each, "children", None) or []] for each in found}
    assert outline == {
        "Pair": [],
        "TinyCNN3": ["features", "classifier"],
        "train": ["data", "augment", "optimizer", "batch", "epochs"],
    }


async def test_folding(editor: Editor) -> None:
    await editor.open("# one\n# two\n" + EXAMPLE)
    found = await editor.client.text_document_folding_range_async(types.FoldingRangeParams(editor.document)) or []
    first = [editor.text.splitlines()[fold.start_line] for fold in found]
    starts = [
        "# one",
        "block Pair(width) {",
        "model TinyCNN3(classes=10) {",
        "  features: {",
        "  classifier: {",
        "train {",
    ]
    assert first == starts
    assert all(editor.text.splitlines()[fold.end_line + 1].strip() in ("}", "") or fold.kind for fold in found)


async def test_semantic_tokens(editor: Editor) -> None:
    await editor.open(
        "let k = 3\nblock Unit(width) { conv(width, k) }\nmodel A {\n  input 3x8x8\n  head: Unit(8)  # one\n}\n"
    )
    found = await editor.client.text_document_semantic_tokens_full_async(types.SemanticTokensParams(editor.document))
    assert found
    line = column = 0
    words = []
    for at in range(0, len(found.data), 5):
        down, right, length, kind, _ = found.data[at : at + 5]
        line, column = line + down, right if down else column + right
        words.append((editor.text.splitlines()[line][column : column + length], TYPES[kind]))
    assert words == [
        ("let", "keyword"), ("k", "variable"), ("=", "operator"), ("3", "number"),
        ("block", "keyword"), ("Unit", "class"), ("width", "parameter"),
        ("conv", "function"), ("width", "parameter"), ("k", "variable"),
        ("model", "keyword"), ("A", "class"), ("input", "keyword"), ("3x8x8", "number"),
        ("head", "property"), ("Unit", "class"), ("8", "number"), ("# one", "comment"),
    ]  # fmt: skip


async def test_formatting(editor: Editor) -> None:
    await editor.open("model A {\n  # about it\n  input 3x8x8\n  conv( 8,3 ),relu\n}\n")
    options = types.FormattingOptions(tab_size=2, insert_spaces=True)
    params = types.DocumentFormattingParams(editor.document, options)
    edits = await editor.client.text_document_formatting_async(params) or []
    assert editor.after(list(edits)) == "model A {\n  # about it\n  input 3x8x8\n  conv(8, 3), relu\n}\n"
    await editor.change("model A {\n  input 3x8x8\n  conv( 8 3 ),relu\n}\n")
    assert not await editor.client.text_document_formatting_async(params)
