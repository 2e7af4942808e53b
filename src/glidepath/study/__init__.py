"""Compare: train one task under many schedules, fairly, and say which one wins."""
