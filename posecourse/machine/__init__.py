"""What this computer is: the device and threads that suit it, and what stands in a lesson's way.

`report()` is the short answer that lesson 00 prints; `python course.py doctor` adds folders, data and a block to paste.
"""

from collections.abc import Sequence

from posecourse.machine.devices import choose_device, device_finding
from posecourse.machine.findings import Finding
from posecourse.machine.software import package_findings, python_finding, widget_finding
from posecourse.machine.threads import Threads, choose_threads, thread_finding

__all__ = ["Finding", "Threads", "choose_device", "choose_threads", "findings", "report"]


def findings() -> Sequence[Finding]:
    """Look at Python, the packages, the device, the threads and the widgets; takes about a second."""
    return [python_finding(), *package_findings(), device_finding(), thread_finding(), widget_finding()]


def report() -> str:
    """Return what was found, one line each; a line with a cross says what to do."""
    return "\n".join(map(str, findings()))
