"""Describe a study: its keys, its schedules, its runs, and its YAML file."""
