"""What a layer is: its signature, and what it does to a shape. Everything else about it is derived."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, ClassVar, Literal

from cnnspec.record import Record
from cnnspec.words import Like, Word


class Shape(Record):
    """Sizes without the batch, in PyTorch's order: `(features,)`, or channels before the axes of a map. With
    `channels_last` the channels stand behind the axes."""

    sizes: tuple[int, ...]
    channels_last: bool = False

    def __init__(self, sizes: tuple[int, ...], channels_last: bool = False) -> None:
        values = self.__dict__  # shapes are made and compared more than anything else, so this is what is fast
        values["sizes"] = sizes
        values["channels_last"] = channels_last

    def __eq__(self, other: object) -> bool:
        return type(other) is Shape and self.sizes == other.sizes and self.channels_last == other.channels_last

    def __hash__(self) -> int:
        return hash((self.sizes, self.channels_last))

    @property
    def rank(self) -> int:
        """The number of axes a window slides along: 0 for features, 1 for CxL, 2 for CxHxW, 3 for CxDxHxW."""
        return len(self.sizes) - 1

    @property
    def channels(self) -> int:
        return self.sizes[-1 if self.channels_last else 0]

    @property
    def spatial(self) -> tuple[int, ...]:
        return self.sizes[:-1] if self.channels_last else self.sizes[1:]

    @property
    def channel_axis(self) -> int:
        """Where the channels stand, counted with the batch, as PyTorch's `dim`."""
        return -1 if self.channels_last else 1

    @property
    def elements(self) -> int:
        return prod(self.sizes)

    @property
    def written(self) -> str:
        """The sizes as a spec writes them: `96x56x56`."""
        return "x".join(map(str, self.sizes))

    def with_channels(self, channels: int) -> Shape:
        """The same map with another number of channels."""
        sizes = (*self.spatial, channels) if self.channels_last else (channels, *self.spatial)
        return Shape(sizes, self.channels_last)

    def __str__(self) -> str:
        return f"{self.written} (channels last)" if self.channels_last else self.written


Wording = str | Callable[[], str]


class Refused(Exception):
    """The incoming shape does not suit the layer.

    `code` is a diagnostic code; `message` states the fault in one line and proposes nothing; `argument` names the
    argument that is at fault, where one is; `why` is the arithmetic; `help` proposes, in words. Where the last two take
    more than putting in numbers, they are worked out when they are asked for.
    """

    def __init__(
        self, code: str, message: str, *, argument: str | None = None, why: Wording = "", help: Wording = ""
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.argument, self._why, self._help = code, message, argument, why, help

    @property
    def why(self) -> str:
        return self._why if isinstance(self._why, str) else self._why()

    @property
    def help(self) -> str:
        return self._help if isinstance(self._help, str) else self._help()


class Weights(Record):
    """Shapes of what a layer learns (`parameters`) and of what it only keeps (`buffers`), by their PyTorch names and
    in PyTorch's order."""

    parameters: dict[str, tuple[int, ...]] = {}  # noqa: RUF012  (never changed: records are immutable)
    buffers: dict[str, tuple[int, ...]] = {}  # noqa: RUF012

    @property
    def count(self) -> int:
        return sum(prod(shape) for shape in self.parameters.values())


class Window(Record):
    """How a layer looks at its input: along each axis a kernel, moved by a stride, over padding at the beginning.

    A stride of a transposed convolution is its reciprocal: `stride` is then the number of outputs per input and
    `upsamples` is true.
    """

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    upsamples: bool = False


class TorchCall(Record):
    """The PyTorch module a layer becomes, as a value: `emit` prints it and `build` runs it.

    `name` is written as in Python: `nn.Conv2d`, `torch.full`, or for what torch lacks the bare name of a class of
    `cnnspec.modules`, `StochasticDepth` for instance. Values are ints, floats, bools, strings, None, tuples or further
    calls.
    """

    name: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = {}  # noqa: RUF012

    def __str__(self) -> str:
        inside = [*map(_python, self.args), *(f"{name}={_python(value)}" for name, value in self.kwargs.items())]
        return f"{self.name}({', '.join(inside)})"


def _python(value: Any) -> str:
    return str(value) if isinstance(value, TorchCall) else repr(value)


Reach = Literal["point", "window", "all"]
Keeps = Literal["nothing", "input", "output"]


class Layer(Word):
    """A layer with one input and one output. Subclasses define at least `output` and `torch`."""

    claims: ClassVar[str | None] = None
    """The argument that may be written `incoming -> outgoing`; the incoming number is what `incoming` returns."""

    reach: ClassVar[Reach] = "point"
    """What one output sees of the input: the same position, a `window`, or all of it."""

    multiplies_at: ClassVar[Literal["nothing", "output", "input", "rows"]] = "nothing"
    """Where each element of `weight` takes part in one multiplication: at every position of the output's map
    (convolution) or the input's (transposed convolution), or for every row before the last axis (linear)."""

    keeps: ClassVar[Keeps] = "nothing"
    """What PyTorch keeps of it for the backward pass, where it is one operation that keeps no more than this."""

    bare: ClassVar[bool] = False
    """Whether the layer is no module but an `nn.Parameter` of the module around it, by which the input is multiplied.
    The layer's own path is then the parameter's name."""

    example: ClassVar[str] = ""
    """A call and a shape it accepts, `conv(16, 3) @ 3x32x32`; shown in the docs and tried by the tests. Further layers
    may stand before the call."""

    def output(self, x: Shape) -> Shape:
        """The shape that comes out; raises `Refused` where PyTorch would refuse, or where it would guess."""
        raise NotImplementedError

    def torch(self, x: Shape) -> TorchCall:
        """The PyTorch module for this input; called only with inputs that `output` accepts."""
        raise NotImplementedError

    def weights(self, x: Shape) -> Weights:
        """Parameters and buffers; called only with inputs that `output` accepts."""
        return Weights()

    def window(self, x: Shape) -> Window | None:
        """The sliding window; None where there is none, or where it is not the same everywhere. A layer with the
        `reach` "all" may have one for inputs of which it sees less."""
        return None

    def keywords(self, *names: str, **renamed: str) -> dict[str, Any]:
        """Those of the named arguments that differ from their defaults, for a `TorchCall`: `renamed` are the ones
        that PyTorch calls otherwise (`ceil_mode="ceil"`)."""
        values = self.__dict__
        return {
            key: values[name]
            for key, name in ({name: name for name in names} | renamed).items()
            if values[name] != self._default(name)
        }

    def _default(self, name: str) -> Any:
        default = self.__fields__[name]
        return self.__dict__[default.argument] if isinstance(default, Like) else default

    def incoming(self, x: Shape) -> int:
        """The number that a claim is compared with: channels, or features for linear."""
        return x.channels

    def arithmetic(self, x: Shape) -> str:
        """How the sizes of the map come about, with the numbers put in: `(28 - 5) // 2 + 1 = 12`. Empty where that
        says nothing."""
        return ""
