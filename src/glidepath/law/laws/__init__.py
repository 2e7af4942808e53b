"""The laws: each a frozen dataclass with its formula, its parameters and its source."""
