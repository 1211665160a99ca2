"""cnnspec: describe a convolutional network in a small file; check, measure, emit, build and train it.

Every function takes a spec as a path, as a `Source` (see `text`), or an already checked `Network`:

    network = cnnspec.load("tinycnn3.cnn")
    network.parameters, network.output
    module = cnnspec.build(network)

Only what a function needs is imported, when it is called: torch is loaded by `build` and `train`, never by `check`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Literal, TypeAlias

from cnnspec.diagnostics import Diagnostic, SpecError
from cnnspec.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch

    from cnnspec.data.error import DataError as DataError
    from cnnspec.emission import Style
    from cnnspec.network import Checked, Network
    from cnnspec.network import UsageFault as UsageFault
    from cnnspec.porting import Ported
    from cnnspec.porting.values import NotPortable as NotPortable
    from cnnspec.report.diff import Difference
    from cnnspec.report.field_view import View
    from cnnspec.report.memory_table import Report
    from cnnspec.report.summary import Summary
    from cnnspec.training.compare import Comparison
    from cnnspec.training.ending import Run
    from cnnspec.training.error import TrainError as TrainError
    from cnnspec.training.finished import Evaluation, Prediction

__version__ = "0.1.0"

__all__ = [
    "DataError",
    "Diagnostic",
    "NotPortable",
    "Source",
    "SpecError",
    "TrainError",
    "UsageFault",
    "build",
    "check",
    "compare",
    "diff",
    "emit",
    "evaluate",
    "field",
    "load",
    "memory",
    "port",
    "predict",
    "resume",
    "summary",
    "sweep",
    "text",
    "train",
]

Spec: TypeAlias = "str | os.PathLike[str] | Source | Network"


_ERRORS = {
    "DataError": "cnnspec.data.error",
    "TrainError": "cnnspec.training.error",
    "NotPortable": "cnnspec.porting.values",
    "UsageFault": "cnnspec.network",
}


def __getattr__(name: str) -> object:
    """Exceptions that `except` clauses name are imported when they are first asked for."""
    if name in _ERRORS:
        return getattr(import_module(_ERRORS[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def text(spec: str, name: str = "<string>") -> Source:
    """A spec that is not in a file; `name` is how messages call it."""
    return Source(name, spec)


def check(
    spec: str | os.PathLike[str] | Source,
    *,
    set: Mapping[str, object] | None = None,
    input: object | None = None,
    any_size: bool = False,
) -> Checked:
    """Every diagnostic of a spec (`.diagnostics`, the errors among them `.errors`; lints are warnings) and its right
    `.networks`.

    `set` overrides parameters (`{"classes": 100}`) and training settings (`{"train.epochs": 3}`); `input` tries
    another input (`"1x28x28"` or `(1, 28, 28)`). `any_size` also works out for which sizes of input each model runs
    (`.sizes`, by name), as is done in any case where the spec leaves them open.
    """
    from cnnspec.lint import linted
    from cnnspec.network import check, read_source

    source = spec if isinstance(spec, Source) else read_source(spec)
    checked = linted(check(source, set=set, input=input))
    if not any_size:
        return checked
    from cnnspec.network.anysize import with_sizes

    return with_sizes(checked)


def load(
    spec: Spec,
    *,
    model: str | None = None,
    set: Mapping[str, object] | None = None,
    input: object | None = None,
    train: bool = False,
) -> Network:
    """The checked network of a spec; raises `SpecError` with every diagnostic where there are errors.

    `model` chooses where there are several. `train` fills in the training settings that the spec leaves out. A
    `Network` is returned as it is; it takes no overrides any more (`TypeError`).
    """
    from cnnspec.network import Network, load, read_source

    if isinstance(spec, Network):
        if model or set or input:
            raise TypeError("a Network is checked already: give model, set and input to load")
        return spec
    source = spec if isinstance(spec, Source) else read_source(spec)
    return load(source, model=model, set=set, input=input, train=train)


def _maybe_open(spec: Spec, model: str | None, set: Mapping[str, object] | None, input: object | None) -> Network:
    """As `load`; sizes of the input may be open, where the layers do not depend on them."""
    from cnnspec.network import Network, read_source
    from cnnspec.network import load as load_network

    if isinstance(spec, Network):
        return load(spec, model=model, set=set, input=input)
    source = spec if isinstance(spec, Source) else read_source(spec)
    return load_network(source, model=model, set=set, input=input, open=True)


def summary(
    spec: Spec, *, model: str | None = None, set: Mapping[str, object] | None = None, input: object | None = None
) -> Summary:
    """Output shape, parameters, MACs, receptive field and activation size of every layer, and their totals."""
    from cnnspec.report.summary import summarize

    return summarize(load(spec, model=model, set=set, input=input))


def field(
    spec: Spec,
    layer: str,
    at: tuple[int, ...] | None = None,
    *,
    model: str | None = None,
    set: Mapping[str, object] | None = None,
    input: object | None = None,
) -> View:
    """What one output of a layer or group sees of the input, by default that in the middle of its map. Raises
    `ValueError` where there is no such layer, or no such place."""
    from cnnspec.report.field_table import view_of

    return view_of(load(spec, model=model, set=set, input=input), layer, at)


def memory(
    spec: Spec,
    *,
    batch: int | None = None,
    optimizer: Literal["sgd", "momentum", "adam", "adamw", "muon"] | None = None,
    precision: Literal["float32", "bfloat16"] | None = None,
    fits: int | None = None,
    model: str | None = None,
    set: Mapping[str, object] | None = None,
    input: object | None = None,
) -> Report:
    """What training takes on a GPU, as `train { }` says where nothing is given. With `fits`, a number of bytes, that of
    the largest batch that fits into it."""
    from cnnspec.report.memory_table import recipe_of, report

    network = load(spec, model=model, set=set, input=input)
    return report(network, recipe_of(network, batch, optimizer, precision), fits)


def diff(before: Spec, after: Spec) -> Difference:
    """What was changed between two networks: `changes` with what each costs, `renamed`, `settings`; `str` gives what
    `cnnspec diff` prints. Specs are as in `load`; load them first where a model is to be chosen."""
    from cnnspec.report.diff import compare

    return compare(load(before), load(after))


def emit(
    spec: Spec,
    *,
    style: Style = "sequential",
    model: str | None = None,
    set: Mapping[str, object] | None = None,
    input: object | None = None,
) -> str:
    """Python source of the network that needs torch alone; `style` is "sequential" or "forward"."""
    from cnnspec.emission import emit

    return emit(_maybe_open(spec, model, set, input), style=style)


def build(
    spec: Spec, *, model: str | None = None, set: Mapping[str, object] | None = None, input: object | None = None
) -> torch.nn.Module:
    """The network as a PyTorch module, with freshly drawn weights. Needs torch."""
    from cnnspec.building import build_module

    return build_module(_maybe_open(spec, model, set, input))


def port(module: torch.nn.Module, input: str | Sequence[int], *, name: str = "", compare: bool = True) -> Ported:
    """The spec of a PyTorch module for an input (`"3x224x224"` or `(3, 224, 224)`, without the batch): `.text`, and how
    it stands beside the module (`.whole`, `.notes` on what could not be expressed, `.verified`). It runs the module on
    tensors without numbers, and with `compare` once on numbers. Raises `NotPortable` where it does not run, or returns
    anything but a tensor. Needs torch."""
    from cnnspec.requires import require

    require("torch")
    from cnnspec.porting import port_module

    sizes = tuple(map(int, input.split("x"))) if isinstance(input, str) else tuple(input)
    return port_module(module, sizes, name=name, numbers=compare)


def train(
    spec: Spec,
    *,
    model: str | None = None,
    set: Mapping[str, object] | None = None,
    input: object | None = None,
    data_dir: str | os.PathLike[str] | None = None,
    out: str | os.PathLike[str] | None = None,
    device: str | None = None,
    weights: str | os.PathLike[str] | None = None,
    test_every_epoch: bool = False,
    watch: bool = False,
    tensorboard: bool = False,
    compile: Literal["auto", "on", "off"] = "auto",
    deterministic: bool = False,
    transform: Callable[[torch.Tensor], torch.Tensor] | None = None,
    save_every: float = 10.0,
    progress: bool = False,
) -> Run:
    """Train the network as its `train { }` says, with defaults for what it leaves out. Needs torch.

    `set` overrides settings (`{"train.epochs": 3}`), `data_dir` is where downloaded data sets live, `out` the folder
    of the run (a fresh one in `runs/` by default), `device` a name like "cuda:1" (the best there is by default).
    `weights` are what to start from: the folder of a run, a file, or torchvision's name for its own.
    `test_every_epoch` records the test set after each epoch, `watch` every layer, `tensorboard` the curves for
    TensorBoard; none has a say. Steps are compiled where that repays its time, unless `compile` says otherwise;
    `deterministic` gives the same bits every time on a GPU too. An epoch that takes longer than `save_every` minutes is
    saved on the way. `transform` changes one training sample at a time, before the recipe's augmentation and slower: it
    is called with a tensor, uint8 [C, H, W] for an image, and returns one of the same shape and type. `Run.folder`
    holds weights, metrics and pictures. Raises `TrainError` or `DataError` where the run cannot start or not go on.
    """
    from cnnspec.requires import require

    require("torch")
    from pathlib import Path

    from cnnspec.training.run import train

    if weights is not None:
        from cnnspec.network.origins import origin_text

        set = {**(set or {}), "train.weights": origin_text(os.fspath(weights))}
    return train(
        load(spec, model=model, set=set, input=input, train=True),
        data_dir=Path(data_dir) if data_dir is not None else None,
        out=Path(out) if out is not None else None,
        device=device,
        test_every_epoch=test_every_epoch,
        watch=watch,
        tensorboard=tensorboard,
        compiling=compile,
        deterministic=deterministic,
        transform=transform,
        save_every=save_every,
        progress=progress,
    )


def resume(
    run: str | os.PathLike[str],
    *,
    data_dir: str | os.PathLike[str] | None = None,
    device: str | None = None,
    transform: Callable[[torch.Tensor], torch.Tensor] | None = None,
    save_every: float = 10.0,
    progress: bool = False,
) -> Run:
    """Go on with a run that was interrupted or killed, from its newest checkpoint, as if it had never stopped: on the
    CPU bit for bit. `data_dir` and `device` are those it began with by default; `transform`, which no folder keeps, is
    given again where it began with one. Raises `TrainError` where the run is finished, has diverged, or is no longer
    what it was. Needs torch."""
    from cnnspec.requires import require

    require("torch")
    from pathlib import Path

    from cnnspec.training.resume import resume

    folder = Path(data_dir) if data_dir is not None else None
    return resume(
        Path(run), data_dir=folder, device=device, transform=transform, save_every=save_every, progress=progress
    )


def evaluate(
    run: str | os.PathLike[str],
    *,
    weights: Literal["best", "last"] = "best",
    data: str | None = None,
    data_dir: str | os.PathLike[str] | None = None,
    device: str | None = None,
) -> Evaluation:
    """The test set of a finished run measured again, class by class; `data` names another data set. Needs torch."""
    from cnnspec.requires import require

    require("torch")
    from pathlib import Path

    from cnnspec.training.finished import evaluate

    folder = Path(data_dir) if data_dir is not None else None
    return evaluate(Path(run), weights=weights, data=data, data_dir=folder, device=device)


def predict(
    run: str | os.PathLike[str],
    samples: Sequence[str] | str,
    *,
    weights: Literal["best", "last"] = "best",
    device: str | None = None,
) -> list[Prediction]:
    """The classes a finished run gives to image files, or to numbers (`"0.5,-0.25"`) where it takes features, each
    with its probability. Needs torch."""
    from cnnspec.requires import require

    require("torch")
    from pathlib import Path

    from cnnspec.training.finished import predict

    return predict(Path(run), samples, weights=weights, device=device)


def sweep(
    spec: str | os.PathLike[str],
    *,
    over: Mapping[str, Sequence[object] | str],
    seeds: int = 1,
    model: str | None = None,
    set: Mapping[str, object] | None = None,
    input: object | None = None,
    data_dir: str | os.PathLike[str] | None = None,
    device: str | None = None,
    out: str | os.PathLike[str] | None = None,
    jobs: int = 1,
) -> Comparison:
    """Train a spec with every combination of some values (`{"train.batch": [64, 256]}`) and with several seeds, and
    compare the runs. `jobs` are trained at a time, in processes. What `out` holds of the same sweep is not trained
    again. Needs torch."""
    from cnnspec.requires import require

    require("torch")
    from cnnspec.training.sweep import sweep

    return sweep(
        spec,
        over,
        seeds=seeds,
        model=model,
        set=set,
        input=input,
        data_dir=data_dir,
        device=device,
        out=out,
        jobs=jobs,
    )


def compare(runs: Sequence[str | os.PathLike[str]] | str | os.PathLike[str]) -> Comparison:
    """Runs side by side, given as their folders: `rows` of figures, `differences`, `layers`; `draw` makes a picture of
    their curves. Runs that differ only in the seed are one row. Raises `TrainError` where none is a run. Needs torch.
    """
    from cnnspec.requires import require

    require("torch")
    from cnnspec.training.compare import compare

    return compare(runs)


if "IPython" in sys.modules:
    from cnnspec.notebook import show_networks

    show_networks()
