"""Train a few of many schedules, predict the others, confirm the most promising."""
