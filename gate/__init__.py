"""The door: nothing of the product is reached except through here."""
