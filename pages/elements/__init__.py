"""Tables, tiles and charts that two or more pages show."""
