"""Slow and large measurements; no part of the suite."""
