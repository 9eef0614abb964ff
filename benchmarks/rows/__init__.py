"""One module a row. Each has `measure(scale) -> list[Row]`."""
