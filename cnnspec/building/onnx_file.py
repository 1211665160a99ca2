"""A module as an ONNX file, and the proof that it computes the same."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cnnspec.files import write
from cnnspec.layers.base import Shape
from cnnspec.requires import require

INPUT, OUTPUT = "input", "output"
LARGEST = 2_000_000_000
"""Bytes of weights from which on they stand in a second file beside the first: protobuf ends at 2 GiB."""

LITTLE = 1e-4
"""Outputs of different samples that lie closer together, as a part of the largest one, hardly depend on the input."""

TOLERANCE = 1e-3
"""How far outputs may lie apart, as a part of the largest one: float32 summed in another order."""


@dataclass(frozen=True)
class Check:
    """What onnxruntime computed beside PyTorch, for batches of so many samples: the largest difference, the largest
    output, and how far outputs of different samples lie apart."""

    version: str
    samples: tuple[int, ...]
    difference: float
    largest: float
    apart: float

    @property
    def right(self) -> bool:
        return self.difference <= TOLERANCE * self.largest

    @property
    def _doubt(self) -> str:
        """Fresh weights may let nothing through: then equal outputs prove little."""
        little = self.apart < LITTLE * self.largest
        return "; they hardly depend on the input with these weights, so this proves little" if little else ""

    def __str__(self) -> str:
        told = " and ".join(map(str, self.samples))
        return (
            f"onnxruntime {self.version}: outputs for batches of {told} differ from PyTorch's by at most "
            f"{self.difference:.1e}, the largest is {self.largest:.3g}{self._doubt}"
        )


class NotExported(Exception):
    """PyTorch could not export the module, or what came out computes something else; says so in one line."""


def export_onnx(
    module: nn.Module, shape: Shape, path: Path, *, batch: int | None, opset: int | None, about: Mapping[str, str]
) -> Check | None:
    """Write a module in evaluation mode as ONNX, for any batch size where `batch` is None.

    Checked first with onnxruntime; where that is not installed, None is returned. Raises `NotExported`,
    `MissingPackage` and OSError; nothing is written then."""
    require("onnx", "onnxscript")
    module = module.eval().cpu()
    samples = torch.randn(batch or 2, *shape.sizes, generator=torch.Generator().manual_seed(0))
    program = _program(module, samples, batch, opset)
    program.model.metadata_props.update(about)
    large = sum(weight.numel() * weight.element_size() for weight in module.state_dict().values()) > LARGEST
    if large:
        program.save(path, external_data=True)
        return _checked(str(path), module, samples, batch)
    data: bytes = program.model_proto.SerializeToString()
    check = _checked(data, module, samples, batch)
    if check and not check.right:
        raise NotExported(f"the exported network computes something else: {check}")
    write(path, data)
    return check


def _program(module: nn.Module, samples: torch.Tensor, batch: int | None, opset: int | None) -> torch.onnx.ONNXProgram:
    axes = None if batch else ({0: torch.export.Dim("batch", min=1)},)
    try:
        with _quiet():
            program = torch.onnx.export(
                module,
                (samples,),
                input_names=[INPUT],
                output_names=[OUTPUT],
                dynamic_shapes=axes,
                opset_version=opset,
                dynamo=True,
                verbose=False,
            )
    except (RuntimeError, ValueError, torch.onnx.errors.OnnxExporterError) as error:
        raise NotExported(f"PyTorch cannot export this: {str(error).strip().splitlines()[0]}") from error
    assert program
    written = program.model.opset_imports[""]
    if opset and written != opset:
        raise NotExported(f"PyTorch gives this network in opset {written}, not in {opset}")
    return program


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what the exporter tells of itself."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _checked(model: bytes | str, module: nn.Module, samples: torch.Tensor, batch: int | None) -> Check | None:
    try:
        runtime: Any = import_module("onnxruntime")
    except ModuleNotFoundError:
        return None
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    session = runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    sizes = (batch,) if batch else (1, 2)
    difference = largest = 0.0
    for size in sizes:
        with torch.inference_mode():
            expected = module(samples[:size])
        given = torch.from_numpy(session.run([OUTPUT], {INPUT: samples[:size].numpy()})[0])
        if given.shape != expected.shape:
            raise NotExported(f"the exported network gives {tuple(given.shape)}, not {tuple(expected.shape)}")
        difference = max(difference, (given - expected).abs().max().item())
        largest = max(largest, expected.abs().max().item())
    with torch.inference_mode():
        outputs = module(torch.cat([samples[:1], -samples[:1]])) if not batch else module(samples) - module(-samples)
    apart = (outputs[0] - outputs[1] if not batch else outputs).abs().max().item()
    return Check(runtime.__version__, sizes, difference, largest, apart)
