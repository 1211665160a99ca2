from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from cnnspec.data.vision import import_torchvision  # noqa: E402
from cnnspec.recipe import (  # noqa: E402
    AUGMENTATIONS,
    Augmentation,
    ColorJitter,
    Crop,
    Cutout,
    Flip,
    RandomErasing,
    Recipe,
    Rotation,
    Shift,
)
from cnnspec.training.augment import CHANGES, augment, columns, flipped, jittered, moved, normalise, turned  # noqa: E402
from cnnspec.training.chance import Chance  # noqa: E402


def seeded(seed: int = 0):
    return torch.Generator().manual_seed(seed)


def drawn(x, chosen, seed=0):
    return torch.rand(len(x), columns(chosen), generator=seeded(seed))


def pictures(channels=3, height=12, width=10, count=8):
    """Smooth ones, as photographs are: interpolation of noise would compare rounding."""
    generator = seeded(1)
    small = torch.rand(count, channels, 4, 4, generator=generator) * 255
    return torch.nn.functional.interpolate(small, (height, width), mode="bicubic").clamp(0, 255).to(torch.uint8)


@pytest.fixture(scope="module")
def tv():
    return import_torchvision().transforms.functional


ALL = (
    *(Crop(2), Flip(), Rotation(20.0), ColorJitter(0.5, 0.5, 0.5), Shift(0.2)),
    *(Crop(3, "reflect"), Cutout(5), RandomErasing()),
)


def test_every_augmentation_of_the_language_has_its_change():
    assert set(CHANGES) == set(AUGMENTATIONS.values())


@pytest.mark.parametrize("augmentation", [*ALL, pytest.param(None, id="all")])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_repeatable_from_the_seed_and_keeps_shape_and_type(augmentation, channels, dtype):
    x = pictures(channels).to(dtype)
    before = x.clone()
    chosen: tuple[Augmentation, ...] = ALL if augmentation is None else (augmentation,)
    once, again, other = (augment(x, chosen, drawn(x, chosen, seed)) for seed in (3, 3, 4))
    assert once.shape == x.shape
    assert once.dtype == x.dtype
    assert torch.equal(once, again)
    assert not torch.equal(once, other)
    assert torch.equal(x, before), "the batch itself was changed"


def test_nothing_asked_nothing_changed():
    x = pictures()
    assert torch.equal(augment(x, (), drawn(x, (), 0)), x)


def test_moved_is_torchvisions_crop_of_the_padded_image(tv):
    x = pictures()
    down, right = torch.randint(-4, 5, (2, len(x)), generator=seeded())
    ours = moved(x, down, right, 4, 4)
    for i in range(len(x)):
        expected = tv.crop(tv.pad(x[i], [4, 4, 4, 4]), 4 - int(down[i]), 4 - int(right[i]), 12, 10)
        assert torch.equal(ours[i], expected)


def test_crop_reaches_every_place_alike():
    x = torch.zeros(4000, 1, 5, 5, dtype=torch.uint8)
    x[:, 0, 2, 2] = 1
    places = augment(x, (Crop(2),), drawn(x, (Crop(2),), 0)).sum(0)[0]
    assert places.sum() == 4000
    assert places.min() > 100
    assert places.max() < 220


def test_shift_is_torchvisions_translation(tv):
    x = pictures()
    down, right = torch.randint(-3, 4, (2, len(x)), generator=seeded())
    ours = moved(x, down, right, 3, 3)
    for i in range(len(x)):
        expected = tv.affine(x[i], 0.0, [int(right[i]), int(down[i])], 1.0, [0.0, 0.0])
        assert torch.equal(ours[i], expected)


def test_shift_stays_within_its_fraction():
    x = torch.zeros(2000, 1, 20, 10, dtype=torch.uint8)
    x[:, 0, 10, 5] = 1
    _, _, rows, places = augment(x, (Shift(0.2),), drawn(x, (Shift(0.2),), 0)).nonzero().T
    assert sorted(set((rows - 10).tolist())) == [-4, -3, -2, -1, 0, 1, 2, 3, 4]
    assert sorted(set((places - 5).tolist())) == [-2, -1, 0, 1, 2]


def test_flipped_is_torchvisions(tv):
    x = pictures()
    chosen = torch.tensor([True, False] * 4)
    ours = flipped(x, chosen)
    assert torch.equal(ours[::2], tv.hflip(x[::2]))
    assert torch.equal(ours[1::2], x[1::2])


@pytest.mark.parametrize(("p", "least", "most"), [(0.0, 0, 0), (1.0, 1000, 1000), (0.25, 200, 300)])
def test_flip_follows_its_probability(p, least, most):
    x = torch.arange(2, dtype=torch.uint8).expand(1000, 1, 1, 2)
    mirrored = (augment(x, (Flip(p),), drawn(x, (Flip(p),), 0))[:, 0, 0, 0] == 1).sum()
    assert least <= mirrored <= most


@pytest.mark.parametrize("size", [(12, 10), (9, 16), (8, 8)])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_turned_is_torchvisions_rotation(tv, size, dtype):
    x = pictures(3, *size).to(dtype)
    degrees = torch.tensor([-90.0, -30.0, -5.0, 0.0, 3.0, 12.5, 45.0, 180.0])
    ours = turned(x, degrees)
    for i in range(len(x)):
        expected = tv.rotate(x[i], float(degrees[i]), tv.InterpolationMode.BILINEAR)
        assert (ours[i].float() - expected.float()).abs().max() <= (1 if dtype == torch.uint8 else 0.01)
    assert torch.allclose(ours[3].float(), x[3].float(), atol=0.01)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("factors", [(0.6, 1.0, 1.0), (1.5, 1.0, 1.0), (1.0, 0.4, 1.0), (1.0, 1.6, 1.0),
                                     (1.0, 1.0, 0.0), (1.0, 1.0, 1.7), (1.2, 0.8, 1.3)])  # fmt: skip
def test_jittered_is_torchvisions_color_jitter(tv, channels, factors):
    x = pictures(channels)
    ours = jittered(x, *(torch.full((len(x),), factor) for factor in factors))
    for i in range(len(x)):
        expected = tv.adjust_saturation(
            tv.adjust_contrast(tv.adjust_brightness(x[i], factors[0]), factors[1]), factors[2]
        )
        # torchvision cuts the fractions off after every step, this rounds once
        assert (ours[i].float() - expected.float()).abs().max() <= 3


def test_jitter_draws_for_each_image_and_keeps_opacity():
    x = pictures(4)[:1].expand(8, -1, -1, -1)
    ours = augment(x, (ColorJitter(),), drawn(x, (ColorJitter(),), 0))
    assert torch.equal(ours[:, 3], x[:, 3])
    assert len({image.sum().item() for image in ours[:, :3]}) == 8


def test_normalise_gives_mean_zero_and_deviation_one():
    x = pictures(3)
    scaled = x.double() / 255
    mean, std = scaled.mean((0, 2, 3)), scaled.std((0, 2, 3))
    expected = (scaled - mean.view(1, 3, 1, 1)) / std.view(1, 3, 1, 1)
    ours = normalise(x, mean.float(), std.float())
    assert ours.dtype == torch.float32
    assert torch.allclose(ours.double(), expected, atol=1e-5)
    assert torch.allclose(normalise(scaled.float(), mean.float(), std.float()).double(), expected, atol=1e-5)


def test_normalise_takes_vectors_and_leaves_its_input_alone():
    x = torch.tensor([[1.0, 10.0], [3.0, 30.0]])
    ours = normalise(x, torch.tensor([2.0, 20.0]), torch.tensor([1.0, 10.0]))
    assert ours.tolist() == [[-1.0, -1.0], [1.0, 1.0]]
    assert x.tolist() == [[1.0, 10.0], [3.0, 30.0]]


def test_moved_reflects_as_torchvision_pads(tv):
    for x in (pictures(), pictures().float()):
        down, right = torch.randint(-4, 5, (2, len(x)), generator=seeded())
        ours = moved(x, down, right, 4, 4, "reflect")
        for i in range(len(x)):
            padded = tv.pad(x[i], [4, 4, 4, 4], padding_mode="reflect")
            assert torch.equal(ours[i], tv.crop(padded, 4 - int(down[i]), 4 - int(right[i]), 12, 10))


MEAN = torch.tensor([0.5, 0.25, 0.1])


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
@pytest.mark.parametrize("side", [1, 4, 5, 40])
def test_cutout_covers_a_square_of_each_image(dtype, side):
    """As the authors' code does: a middle anywhere, the square clipped at the edges."""
    x = pictures(count=200).to(dtype)
    draws = drawn(x, (Cutout(side),))
    ours = augment(x, (Cutout(side),), draws, MEAN)
    colour = (MEAN * 255).round() if dtype == torch.uint8 else MEAN
    for i in range(len(x)):
        row, column = int(draws[i, 0] * 12), int(draws[i, 1] * 10)
        expected = x[i].clone()
        top, left = max(row - side // 2, 0), max(column - side // 2, 0)
        covered = expected[:, top : row - side // 2 + side, left : column - side // 2 + side]
        covered[:] = colour.to(dtype)[:, None, None]
        assert torch.equal(ours[i], expected)


def covered_by(image, before):
    """Height, width and first row and column of what is covered; None where nothing is."""
    rows, columns = ((image != before).any(0).any(axis).nonzero().flatten() for axis in (1, 0))
    if not len(rows):
        return None
    return len(rows), len(columns), int(rows[0]), int(columns[0])


def test_random_erasing_is_distributed_as_torchvisions():
    x = torch.full((3000, 1, 32, 32), 200, dtype=torch.uint8)
    erasing = RandomErasing(p=0.6)
    ours = augment(x, (erasing,), drawn(x, (erasing,)), torch.zeros(1))
    transform = import_torchvision().transforms.RandomErasing(p=0.6, scale=(0.02, 0.33), ratio=(0.3, 1 / 0.3))
    torch.manual_seed(0)
    theirs = torch.stack([transform(image) for image in x])
    figures = []
    for images in (ours, theirs):
        found = [covered_by(image, x[0]) for image in images]
        boxes = torch.tensor([box for box in found if box], dtype=torch.float64)
        area, ratio = boxes[:, 0] * boxes[:, 1] / 1024, (boxes[:, 0] / boxes[:, 1]).log()
        middle = boxes[:, 2] + boxes[:, 0] / 2
        assert torch.equal((images[:, 0] == 0).sum((1, 2)).max().double(), (area * 1024).max()), "not a rectangle"
        spread = (area.mean(), area.std(), area.min(), area.max(), ratio.std(), middle.std())
        figures.append([len(boxes) / 3000, *map(float, spread)])
    assert figures[0] == pytest.approx(figures[1], rel=0.08)


def test_random_erasing_never_leaves_the_image():
    x = torch.full((4000, 1, 7, 30), 200, dtype=torch.uint8)
    erasing = RandomErasing(p=1.0, smallest=0.5, largest=1.0, ratio=0.05)
    parts = (augment(x, (erasing,), drawn(x, (erasing,))) == 0).float().mean((1, 2, 3))
    assert parts.min() > 0.4
    assert parts.mean() == pytest.approx(0.75, abs=0.03)


def test_flips_alternate_from_epoch_to_epoch():
    from cnnspec.training.state import drawn as numbers

    recipe = Recipe(augment=(Crop(1), Flip(alternate=True)))
    chance = Chance(0, 1000, 3)
    x = torch.arange(2, dtype=torch.uint8).expand(1000, 1, 1, 2)
    seen = [augment(x, (Flip(),), numbers(recipe, chance, epoch)[:, 2:])[:, 0, 0, 0] for epoch in (1, 2, 3, 4)]
    assert 400 < seen[0].sum() < 600
    assert torch.equal(seen[1], 1 - seen[0])
    assert torch.equal(seen[2], seen[0])
    assert torch.equal(seen[3], seen[1])
    first, second = (numbers(recipe, chance, epoch)[:, :2] for epoch in (1, 3))
    assert not torch.equal(first, second), "the crop is drawn anew in every epoch"
