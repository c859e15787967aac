"""What the pictures take: tensors from any device, with or without a gradient, and NumPy arrays."""

import numpy as np
from torch import Tensor

__all__ = ["as_array"]


def as_array(values: Tensor | np.ndarray) -> np.ndarray:
    """Return a NumPy array of the values that shares nothing with them."""
    return values.detach().cpu().numpy().copy() if isinstance(values, Tensor) else np.array(values)
