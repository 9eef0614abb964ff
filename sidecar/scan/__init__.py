"""What a LoRA file really is and what it carries, told before it is used for the first time.

Only bytes are read; nothing is unpickled, imported or multiplied. What is looked for, how severe
each finding is and why: docs/decisions/0007-safety-scan.md.
"""

from sidecar.scan.file import Scan, Stopped, scan_file
from sidecar.scan.findings import Finding, Severity

__all__ = ["Finding", "Scan", "Severity", "Stopped", "scan_file"]
