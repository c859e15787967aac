"""The backbone: a small U-shaped convolutional network, from an image to features on a grid four times as coarse."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from posecourse.shapes import require_count

__all__ = ["UNet"]


class UNet(nn.Module):
    """A stem to stride 4, two levels further down to stride 16, and the way back up with shortcuts.

    Width 16 has about 200 000 parameters. Every step down halves a map in a way that is its own mirror image (a kernel
    of 4, stride 2, padding 1; a mean over 2×2), so feature cell i covers exactly the pixels [4i, 4i + 4), as
    `coords.pixels_to_cells` has it. A kernel of 3 with stride 2 would sit half a pixel to the left.

    Batch norm, not group norm: a fifth faster on a CPU in channels-last memory. Lesson 08 leaves it alone and switches
    dropout only.

    Args:
        width: channels of the first layer; the features have twice, the deepest levels four times as many.
        dropout: probability that a channel of the deepest features is dropped; 0 builds no dropout layer.

    Source: Ronneberger et al. 2015 (U-Net); shortcuts are added, not concatenated, as in Newell et al. 2016.
    """

    stride = 4

    def __init__(self, width: int = 16, dropout: float = 0.0) -> None:
        super().__init__()
        require_count(width, "width")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must be a probability, at least 0 and below 1; got {dropout}.")
        self.channels = 2 * width
        fine, deep = 2 * width, 4 * width
        self.stem = nn.Sequential(_convolution(3, width, 4, 2), _convolution(width, fine, 4, 2))
        self.stride_4 = nn.Sequential(_convolution(fine, fine), _convolution(fine, fine))
        self.stride_8 = nn.Sequential(_convolution(fine, deep), _convolution(deep, deep))
        self.stride_16 = nn.Sequential(_convolution(deep, deep), _convolution(deep, deep))
        self.dropout = nn.Dropout2d(dropout) if dropout else nn.Identity()
        self.up_8 = _convolution(deep, deep)
        self.narrow = nn.Conv2d(deep, fine, 1)
        self.up_4 = _convolution(fine, fine)

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B C h w"]:
        """Return features at stride 4: h = H / 4, w = W / 4."""
        at_4 = self.stride_4(self.stem(images))
        at_8 = self.stride_8(_halved(at_4))
        at_16 = self.dropout(self.stride_16(_halved(at_8)))
        up_8 = self.up_8(at_8 + _doubled(at_16, at_8))
        return self.up_4(at_4 + _doubled(self.narrow(up_8), at_4))


def _convolution(before: int, after: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Return a convolution, batch norm, ReLU."""
    convolution = nn.Conv2d(before, after, kernel, stride, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(after), nn.ReLU(inplace=True))


def _halved(maps: Tensor) -> Tensor:
    """Return the means over 2×2 cells; an odd last row or column is a mean over what there is."""
    return functional.avg_pool2d(maps, 2, ceil_mode=True, count_include_pad=False)


def _doubled(maps: Tensor, like: Tensor) -> Tensor:
    """Return each cell four times, cut to the size of `like`: undoes the sizes of `_halved`, odd ones too."""
    H, W = like.shape[-2:]
    return functional.interpolate(maps, scale_factor=2)[..., :H, :W]
