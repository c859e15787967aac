"""Train the backbone that the course ships: `python -m tools.weights`, a quarter of an hour on one core.

It learns on 128 px with one linear head for each of three strides, which are thrown away: a lesson solves its own on
the frozen features (`models.linear_probe`). Goes on where it was interrupted; `--score` only scores what is shipped.
`--epochs` and `--sigma` train longer, or on narrower blobs; the file's notes hold the command that made it.
"""

import argparse
import sys
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from posecourse import decode, heatmaps, losses, models, paths, people, seeding, train
from posecourse.models import Head, Reading
from posecourse.samples import Sample
from tools.data import DATA

__all__ = ["FILE", "HELD_OUT", "StrideHeads", "main", "score", "world"]

FILE = DATA / "backbone_128.safetensors"
WIDTH, SIZE, STRIDES, SIGMA = 16, (128, 128), (4, 8, 16), 1.5
IMAGES, CONFIG = 6144, train.TrainConfig()
FITTED, HELD_OUT = (256, 9001), (128, 9002)  # images and seed: what the scored heads are solved on, and scored on


class StrideAnswer(NamedTuple):
    """Maps of every stride, the finest first."""

    features: Tensor
    maps: tuple[Tensor, ...]


class StrideHeads(Head[StrideAnswer]):
    """A linear head for each stride, trained to paint blobs of one σ in cells."""

    def __init__(self, channels: int, keypoints: int, sigma: float = SIGMA) -> None:
        super().__init__(keypoints, STRIDES[0])
        self.sigma = sigma
        self.factors = [stride // STRIDES[0] for stride in STRIDES]
        layers = [nn.Conv2d(channels * factor**2, keypoints, 1) for factor in self.factors]
        for layer in layers:
            nn.init.normal_(layer.weight, std=1e-3)
        self.layers = nn.ModuleList(layers)

    def forward(self, features: Tensor) -> StrideAnswer:
        """Return the maps."""
        pairs = zip(self.layers, self.factors, strict=True)
        return StrideAnswer(features, tuple(layer(functional.pixel_unshuffle(features, f)) for layer, f in pairs))

    def loss(self, answer: StrideAnswer, sample: Sample) -> Tensor:
        """Return the squared error as a share of a blob's own Σh² = πσ², added over the strides."""
        total = torch.zeros(())
        truth = self.truth_in_cells(sample)
        for maps, factor in zip(answer.maps, self.factors, strict=True):
            H, W = maps.shape[-2:]
            target = heatmaps.gaussian_heatmaps((truth + 0.5) / factor - 0.5, (H, W), self.sigma)
            total = total + losses.heatmap_mse(maps, target) * H * W / (torch.pi * self.sigma**2)
        return total

    def read(self, answer: StrideAnswer) -> Reading:
        """Return what the finest maps say."""
        peaks = decode.dark(answer.maps[0], self.sigma)
        return Reading(self.in_pixels(peaks.points), peaks.scores)


def world(count: int, seed: int) -> people.PeopleDataset:
    """Return the people that it is trained on: most face us, few are hidden or cut off."""
    return people.PeopleDataset(count, SIZE, seed=seed, facing=0.8, occluders=0.1, truncation=0.1)


def changed(sample: Sample, generator: torch.Generator) -> Sample:
    """Mirror, turn, scale and shift; of what a sample knows only the keypoints come along, which saves time."""
    plain = replace(sample, person_map=None, camera=None, keypoints_3d=None, attributes={})
    return train.Augment()(plain, generator)


@torch.no_grad()
def score(backbone: models.UNet) -> dict[str, float]:
    """Return the median error in pixels over labelled keypoints, of each stride, read by DARK from a solved head."""
    sets = [world(*which).sample() for which in (FITTED, HELD_OUT)]
    features = [torch.cat([backbone(images) for images in sample.images.split(64)]) for sample in sets]
    scores = {}
    for stride in STRIDES:
        size = (SIZE[0] // stride, SIZE[1] // stride)
        truth = [(sample.keypoints + 0.5) / stride - 0.5 for sample in sets]
        head = models.linear_probe(features[0], heatmaps.gaussian_heatmaps(truth[0], size, SIGMA))
        found = decode.dark(head(features[1]), SIGMA).points
        errors = (found - truth[1]).norm(dim=-1)[sets[1].labelled] * stride
        scores[f"median_px_at_stride_{stride}"] = round(float(errors.median()), 4)
    return scores


def recipe(epochs: int, sigma: float) -> str:
    """Return the command that trains so, without the options that are as usual."""
    words = ["python -m tools.weights"]
    words += [f"--epochs {epochs}"] if epochs != CONFIG.epochs else []
    words += [f"--sigma {sigma:g}"] if sigma != SIGMA else []
    return " ".join(words)


def main() -> int:
    """Train, score, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--score", action="store_true", help="only score what is shipped")
    parser.add_argument("--epochs", type=int, default=CONFIG.epochs, help="how often every image is seen")
    parser.add_argument("--sigma", type=float, default=SIGMA, help="width of the blobs trained on, in cells")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if asked.score:
        print(score(train.load_backbone(FILE)))
        return 0
    with seeding.fork(seeding.generator(0)):
        backbone = models.UNet(WIDTH)
        network = models.PoseNetwork(backbone, StrideHeads(backbone.channels, 17, asked.sigma))
    held_out, config = world(*HELD_OUT).sample(), replace(CONFIG, epochs=asked.epochs)
    checkpoint = paths.cache_path() / f"backbone_128_{asked.epochs}_{asked.sigma:g}.partial.safetensors"
    train.fit(
        network, world(IMAGES, 0), config=config, generator=seeding.generator(1), validation=held_out,
        augment=changed, checkpoint=checkpoint, device="cpu", progress=True,
    )  # fmt: skip
    train.save_backbone(FILE, backbone, WIDTH, command=recipe(asked.epochs, asked.sigma), score=score(backbone))
    print(train.backbone_notes(FILE))
    return 0


if __name__ == "__main__":
    sys.exit(main())
