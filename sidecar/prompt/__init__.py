"""Prompts as lists of phrases, and styles' templates worked into them without piling words up."""

from sidecar.prompt.template import Merged, Template, merge, merge_negative, without

__all__ = ["Merged", "Template", "merge", "merge_negative", "without"]
