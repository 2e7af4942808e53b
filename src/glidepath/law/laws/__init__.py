"""The laws: each a frozen dataclass with its formula, its letters and its source."""
