"""What was read, what was decided, and the proof of both."""
