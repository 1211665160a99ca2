"""How long an editor waits: from an edit in a file of 300 lines to its diagnostics and the shapes behind its lines.

`python benchmarks/lsp.py` starts the server as an editor does and prints medians in milliseconds, by kind of edit; and
the time the server computes for one, which does not depend on what else the machine does.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Iterator

import psutil
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

URI = "file:///benchmark/net.cnn"
ROUNDS = 30
STAGES = 15

STAGE = """block Stage{at}(width, stride=1) {{
  let inner = max(8, x.channels // 2)
  add {{
    | conv1: conv(width, 3, stride=stride, padding=1, bias=false), bn1: batchnorm, relu
      conv2: conv(width, 3, padding=1, bias=false), bn2: batchnorm
    | if stride != 1 or x.channels != width {{
        downsample: {{ conv(width, 1, stride=stride, bias=false), batchnorm }}
      }}
  }}
  relu
  residual {{
    conv(inner, 1), relu
    conv(width, 3, padding=1)
  }}
}}

"""
USE = """  stage{at}: {{
    Stage{at}({width})
    repeat 2 {{ Stage{at}({width}) }}
  }}
"""
TRAIN = "\ntrain {\n  data: cifar10\n  epochs: 3\n}\n"

EDITS = {
    "a size in a block": ("    conv(inner, 1), relu", "    conv(inner + {n}, 1), relu"),
    "a size in the model": ("  conv(16, 3, padding=1)", "  conv({n}, 3, padding=1)"),
    "a layer that is half written": ("  conv(16, 3, padding=1)", "  conv(16, 3, padding={n}"),
    "a wrong size": ("  linear(classes)", "  linear({n} -> classes)"),
}
"""What is typed: a line, and what stands there instead."""


def spec() -> str:
    lines = ["model Big(classes=10) {\n  input 3x32x32\n  conv(16, 3, padding=1)\n"]
    lines += [USE.format(at=at, width=16 + 4 * at) for at in range(STAGES)]
    blocks = "".join(STAGE.format(at=at) for at in range(STAGES))
    model = "".join(lines) + "  adaptive_avgpool(1), flatten\n  linear(classes)\n}\n"
    return blocks + model + TRAIN


def texts(old: str, new: str) -> Iterator[str]:
    """Each differs from the one before, so that nothing is answered from memory."""
    whole = spec()
    assert old in whole
    return (whole.replace(old, new.format(n=17 + at), 1) for at in range(ROUNDS))


async def answered(client: LanguageClient, text: str, version: int) -> float:
    """Seconds from an edit to the last of its answers."""
    document = types.VersionedTextDocumentIdentifier(version, URI)
    place = types.Range(types.Position(0, 0), types.Position(text.count("\n"), 0))
    start = time.perf_counter()
    diagnosed = client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    client.text_document_did_change(
        types.DidChangeTextDocumentParams(document, [types.TextDocumentContentChangeWholeDocument(text)])
    )
    hints = client.text_document_inlay_hint_async(types.InlayHintParams(types.TextDocumentIdentifier(URI), place))
    await asyncio.gather(diagnosed, hints)
    return time.perf_counter() - start


def computed(client: LanguageClient) -> float:
    """Seconds that the server has computed so far."""
    server = client._server
    assert server
    times = psutil.Process(server.pid).cpu_times()
    return times.user + times.system


async def main() -> None:
    config = ClientServerConfig([sys.executable, "-m", "cnnspec", "lsp"])
    client = await config.start()
    assert isinstance(client, LanguageClient)
    await client.initialize_session(types.InitializeParams(client_capabilities("visual-studio-code")))
    client.text_document_did_open(types.DidOpenTextDocumentParams(types.TextDocumentItem(URI, "cnnspec", 0, spec())))
    version = 0
    print(f"{spec().count(chr(10))} lines, {ROUNDS} edits of each kind; from the edit to diagnostics and hints")
    for name, (old, new) in EDITS.items():
        took, before = [], computed(client)
        for text in texts(old, new):
            version += 1
            took.append(await answered(client, text, version) * 1000)
        mean = (computed(client) - before) / ROUNDS * 1000
        waited = f"median {statistics.median(took):6.1f}   slowest {max(took):6.1f}"
        print(f"{name:30} {waited}   computing {mean:6.1f}")
    await client.shutdown_session()
    await client.stop()


if __name__ == "__main__":
    asyncio.run(main())
