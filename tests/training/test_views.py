from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional as F  # noqa: E402

from cnnspec.network import Network  # noqa: E402
from cnnspec.recipe import Mirror, Moves  # noqa: E402
from cnnspec.training import evaluate, predict, record, train  # noqa: E402
from cnnspec.training.objective import CROSS_ENTROPY, NEGATIVE_LOG_LIKELIHOOD  # noqa: E402
from cnnspec.training.views import count, views_of, watched  # noqa: E402


def pictures():
    return torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def test_views_and_their_weights():
    x = pictures()
    padded = F.pad(x, [1] * 4, "reflect")
    moved = [(x, 0.5), (padded[:, :, 0:8, 0:8], 0.25), (padded[:, :, 2:10, 2:10], 0.25)]
    expected = [(image.flip(-1) if mirrored else image, weight / 2) for mirrored in (0, 1) for image, weight in moved]
    found = list(views_of(x, (Mirror(), Moves())))
    assert len(found) == len(expected) == count((Mirror(), Moves()))
    assert sum(weight for _, weight in found) == 1
    for image, weight in expected:
        assert any(torch.equal(image, seen) and weight == share for seen, share in found)


def test_outputs_are_averaged_and_stay_logarithms_of_probabilities():
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 5))
    x = pictures()
    expected = sum(model(image) * weight for image, weight in views_of(x, (Moves(2), Mirror())))
    torch.testing.assert_close(watched(model, (Moves(2), Mirror()), CROSS_ENTROPY)(x), expected)
    logs = torch.nn.Sequential(model, torch.nn.LogSoftmax(1))
    found = watched(logs, (Mirror(),), NEGATIVE_LOG_LIKELIHOOD)(x)
    torch.testing.assert_close(found.exp().sum(1), torch.ones(4))
    torch.testing.assert_close(found, ((model(x) + model(x.flip(-1))) / 2).log_softmax(1))
    assert watched(model, (), CROSS_ENTROPY) is model


def test_a_run_measures_and_names_with_its_views(network: Callable[..., Network], tmp_path: Path) -> None:
    run = train(network(views="[mirror, moves]", epochs=1), out=tmp_path / "run", device="cpu")
    result = record.read_result(run.folder)
    assert result is not None
    assert result.test is not None
    assert result.test.views == 6
    again = evaluate(run.folder, device="cpu")
    assert (again.views, again.measured.loss) == (6, result.test.loss)

    from PIL import Image

    Image.fromarray(torch.arange(64, dtype=torch.uint8).view(8, 8).numpy()).save(tmp_path / "a.png")
    Image.fromarray(torch.arange(64, dtype=torch.uint8).view(8, 8).flip(1).numpy()).save(tmp_path / "b.png")
    plain, mirrored = (dict(p.classes) for p in predict(run.folder, [tmp_path / "a.png", tmp_path / "b.png"]))
    plain_run = train(network(views="mirror", epochs=1), out=tmp_path / "mirror", device="cpu")
    one, other = (dict(p.classes) for p in predict(plain_run.folder, [tmp_path / "a.png", tmp_path / "b.png"]))
    assert one == pytest.approx(other)
    assert plain != one
    assert mirrored.keys() == one.keys()
