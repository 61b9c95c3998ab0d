"""Access reviews: opened, decided, signed, closed."""
