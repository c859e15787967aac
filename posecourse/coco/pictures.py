"""A picture file as a tensor: whatever its depth, colours, palette or rotation, or a named error.

- 8 bits: value / 255. 16 bits: value / 65535 (Pillow cuts 16-bit *colour* to its upper 8 bits first).
- Grey, palette, CMYK and other colour spaces become RGB as Pillow converts them, without colour profiles.
- Transparency is laid on black: what is transparent is as empty as what lies beyond the edge of a crop.
- Of several frames the first is taken.
- EXIF rotation. A camera held sideways stores the pixels sideways, with a note to turn them. Some annotation tools
  obey the note, others do not, so the size in the annotations decides: whichever of the stored and the upright picture
  has that size is the annotated one. Where both have it (square, upside down or mirrored) nobody can know, and
  `orientation="upright"` or `"stored"` must say.
"""

import struct
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageOps
from torch import Tensor

from posecourse.coco.errors import CocoError
from posecourse.shapes import Size

__all__ = ["Orientation", "read_picture"]

Orientation = Literal["auto", "upright", "stored"]
"""Whether to obey the note in a picture that says how to turn it."""

_ORIENTATION_TAG = 0x0112
_SIDEWAYS = (5, 6, 7, 8)
# What Pillow raises on broken files, depending on the format.
_BROKEN = (OSError, ValueError, SyntaxError, EOFError, IndexError, struct.error, Image.DecompressionBombError)


def read_picture(path: Path, size: Size | None, orientation: Orientation = "auto") -> Float[Tensor, "1 3 H W"]:
    """Read a picture as RGB in [0, 1].

    Args:
        path: of the file.
        size: (H, W) that the annotations give; None for a picture without any, which is taken upright.
        orientation: whether to obey an EXIF rotation.

    Raises:
        CocoError: no such file, not a whole picture, of a kind without an agreed white, or not of that size.
    """
    try:
        with Image.open(path) as image:
            image.load()
            pixels = _rgb(_turned(path, image, size, orientation), path)
    except FileNotFoundError as error:
        named = "there is no such picture" if size is None else "the annotations name this picture, and there is none"
        raise CocoError(path, f"{named}. Check the images' folder.") from error
    except CocoError:
        raise
    except _BROKEN as error:
        raise CocoError(path, f"not a whole picture ({error}). Copy or download it again.") from error
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].contiguous()


def _turned(path: Path, image: Image.Image, size: Size | None, orientation: Orientation) -> Image.Image:
    """Return the picture as the annotators had it, or raise."""
    if size is None:
        return ImageOps.exif_transpose(image)
    note = image.getexif().get(_ORIENTATION_TAG, 1)
    stored = (image.height, image.width)
    upright = stored[::-1] if note in _SIDEWAYS else stored
    turned = note in range(2, 9)
    if orientation == "auto" and turned and stored == upright == size:
        raise CocoError(
            path,
            f"its EXIF note (orientation {note}) turns or mirrors it, and its size is the same either way, so it is "
            'unknown which one was annotated. Say load(..., orientation="upright") or "stored", or save it turned.',
        )
    obey = turned and (orientation == "upright" or (orientation == "auto" and upright == size))
    if (upright if obey else stored) != size:
        (H, W), (h, w) = size, upright if obey else stored
        raise CocoError(
            path,
            f"the annotations say {W} wide and {H} high, the picture is {w} by {h}. Was it resized? Keypoints would "
            "be at wrong places: use the original, or correct width, height and all coordinates.",
        )
    return ImageOps.exif_transpose(image) if obey else image


def _rgb(image: Image.Image, path: Path) -> np.ndarray:
    """Return float32 (H, W, 3) in [0, 1]."""
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PNG"):
        grey = np.asarray(image).astype(np.float32) / 65535
        return np.repeat(grey[..., None], 3, axis=2)
    if image.mode in ("I", "F"):
        raise CocoError(path, f"a picture of mode {image.mode} has no agreed white. Save it with 8 or 16 bits.")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image)
    return np.asarray(image.convert("RGB")).astype(np.float32) / 255
