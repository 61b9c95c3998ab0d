"""The domain: snapshots, checks, reviews and their evidence. No user interface."""
