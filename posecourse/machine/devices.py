"""Where tensors live on this computer: an NVIDIA GPU, an Apple GPU, or the CPU."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import torch

from posecourse.machine.findings import Finding

__all__ = ["choose_device", "cpu_name", "device_finding"]


def choose_device() -> torch.device:
    """Return the fastest device that torch can use here: cuda, then mps, then cpu.

    The environment variable POSECOURSE_DEVICE names another one, such as `cpu` or `cuda:1`.
    """
    if named := os.environ.get("POSECOURSE_DEVICE"):
        return torch.device(named)
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def device_finding() -> Finding:
    """Try one small multiplication on the chosen device."""
    try:
        device = choose_device()
        a = torch.eye(8, device=device)
        if not torch.equal((a @ a).cpu(), torch.eye(8)):
            raise RuntimeError("it multiplies wrongly")
    except (RuntimeError, AssertionError) as error:  # torch asserts where it is built without CUDA
        reason = str(error).splitlines()[0]
        return Finding("device", f"torch cannot use it: {reason}", "Set POSECOURSE_DEVICE=cpu, or update its driver.")
    return Finding("device", f"{device}: {_device_name(device)}{_unused_gpu(device)}")


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return cpu_name()


def _unused_gpu(device: torch.device) -> str:
    """Mention an NVIDIA card that this build of torch knows nothing of: no failure, since every lesson fits a CPU."""
    has_driver = Path("/proc/driver/nvidia/version").exists()
    if device.type == "cpu" and has_driver and not torch.backends.cuda.is_built():
        return (
            " (there is an NVIDIA card that this build of torch cannot use; to change that, run "
            "`python course.py clean`, set TORCH_INDEX to one of PyTorch's CUDA indexes, and set up again)"
        )
    return ""


def cpu_name() -> str:
    """Return the processor's name and its number of logical cores."""
    name = platform.processor() or platform.machine()
    try:
        if sys.platform == "darwin":
            call = ["sysctl", "-n", "machdep.cpu.brand_string"]
            name = subprocess.run(call, capture_output=True, text=True, check=True, timeout=5).stdout.strip()
        elif sys.platform == "linux":
            lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
            name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), name)
    except (OSError, subprocess.SubprocessError):
        pass
    return f"{name}, {os.cpu_count()} cores"
