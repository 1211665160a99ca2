"""Parts of a network that do not learn, or not yet.

A frozen weight gets no gradient, so an optimizer neither changes it nor keeps anything for it, and weight decay passes
it by. Which parts are frozen follows from the recipe and the epoch; a checkpoint holds nothing of it.
"""

from __future__ import annotations

from torch import nn
from torch.optim import Optimizer

from cnnspec.analysis.learning import frozen, is_frozen
from cnnspec.recipe import Recipe
from cnnspec.words import together


def thawed(recipe: Recipe, epoch: int) -> str:
    """In words, what is frozen in an epoch and in the next one no more."""
    names = [name for name in frozen(recipe, epoch) if name not in frozen(recipe, epoch + 1)]
    return f"{together(names)} {'learns' if len(names) == 1 else 'learn'} from here on" if names else ""


def let_learn(model: nn.Module, optimizer: Optimizer, parts: tuple[str, ...]) -> None:
    """Brings a model into training, all but the frozen parts: their layers work as in a measurement, so that batchnorm
    keeps its figures and dropout drops nothing. What the optimizer does not hold learns nothing either."""
    model.train()
    held = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(id(parameter) in held and not is_frozen(name, parts))
    for name, module in model.named_modules():
        if is_frozen(name, parts) and not any(module.children()):
            module.eval()
