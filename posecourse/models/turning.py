"""The backbone whose features turn with the picture: the U-shaped network, with C4 convolutions."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from posecourse.equivariance import ConvC4, LiftC4, pool_group
from posecourse.shapes import require_count

__all__ = ["C4UNet"]

_DEEPEST = 16


class C4UNet(nn.Module):
    """`UNet` with every convolution replaced by one that looks in four orientations, which are pooled at the end.

    For any weights, f(turned picture) = turned f(picture), exactly, for quarter turns; so with a head that answers
    with maps ("heatmap", "visibility", "integral") the keypoints turn with the picture. "pooled", "grid" and "offset"
    answer with coordinates, for which features that know no direction are no help. Left stays left: a turn is no
    mirror.

    A pattern has four maps. So half of `UNet`'s width makes as many parameters and four times its multiplications; a
    quarter of the width as many multiplications, with a quarter of the parameters.

    Args:
        width: patterns of the first layer, as for `UNet`; the features have twice as many channels.
        dropout: probability that a pattern of the deepest features is dropped, with all of its orientations.

    Source: Cohen and Welling 2016; our UNet.
    Lesson: 07.
    """

    stride = 4

    def __init__(self, width: int = 8, dropout: float = 0.0) -> None:
        super().__init__()
        require_count(width, "width")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must be a probability, at least 0 and below 1; got {dropout}.")
        self.channels = 2 * width
        fine, deep = 2 * width, 4 * width
        lift = LiftC4(3, width, 4, stride=2, padding=1, bias=False)
        self.stem = nn.Sequential(_finished(lift, width), _convolution(width, fine, 4, 2))
        self.stride_4 = nn.Sequential(_convolution(fine, fine), _convolution(fine, fine))
        self.stride_8 = nn.Sequential(_convolution(fine, deep), _convolution(deep, deep))
        self.stride_16 = nn.Sequential(_convolution(deep, deep), _convolution(deep, deep))
        self.dropout = nn.Dropout3d(dropout) if dropout else nn.Identity()
        self.up_8 = _convolution(deep, deep)
        self.narrow = ConvC4(deep, fine, 1)
        self.up_4 = _convolution(fine, fine)

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B C h w"]:
        """Return features at stride 4, without orientations: h = H / 4, w = W / 4.

        Raises:
            ValueError: 16 does not divide the size. An odd map has no halves that lie alike after a turn.
        """
        if any(n % _DEEPEST for n in images.shape[-2:]):
            right = tuple(max(_DEEPEST, round(n / _DEEPEST) * _DEEPEST) for n in images.shape[-2:])
            raise ValueError(
                f"images must have a size (H, W) in multiples of {_DEEPEST}, or a halved map would be off its centre; "
                f"got {tuple(images.shape[-2:])}. Pad or resize them, for example to {right}."
            )
        at_4 = self.stride_4(self.stem(images))
        at_8 = self.stride_8(_halved(at_4))
        at_16 = self.dropout(self.stride_16(_halved(at_8)))
        up_8 = self.up_8(at_8 + _doubled(at_16))
        return pool_group(self.up_4(at_4 + _doubled(self.narrow(up_8))))


def _convolution(before: int, after: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Return a convolution of the group, batch norm, ReLU."""
    return _finished(ConvC4(before, after, kernel, stride=stride, padding=1, bias=False), after)


def _finished(convolution: nn.Module, after: int) -> nn.Sequential:
    """Add a batch norm and a ReLU; a pattern has one mean and one variance over its four orientations."""
    return nn.Sequential(convolution, nn.BatchNorm3d(after), nn.ReLU(inplace=True))


def _halved(maps: Float[Tensor, "B C G H W"]) -> Float[Tensor, "B C G h w"]:
    """Return the means over 2×2 cells."""
    return functional.avg_pool2d(maps.flatten(1, 2), 2).unflatten(1, maps.shape[1:3])


def _doubled(maps: Float[Tensor, "B C G H W"]) -> Float[Tensor, "B C G h w"]:
    """Return each cell four times."""
    return functional.interpolate(maps.flatten(1, 2), scale_factor=2).unflatten(1, maps.shape[1:3])
