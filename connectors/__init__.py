"""One module per source. A new source is one new module and one line here."""
