"""Every figure of the README, measured beside its peer in the same run."""
