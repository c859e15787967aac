"""What every test shares: one thread, and a way to meet the errors that a user meets."""

from collections.abc import Iterator

import jaxtyping
import pytest
import torch
from hypothesis import settings

import tools.typechecker  # noqa: F401 (jaxtyping's hook looks the checker up on the package `tools`)

# A shared machine is slow at times: no test measures the wall clock.
settings.register_profile("posecourse", deadline=None)
settings.load_profile("posecourse")
torch.set_num_threads(1)


@pytest.fixture
def as_a_user() -> Iterator[None]:
    """Switch the runtime shape check off: a student does not have it, so our own error message must come."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
