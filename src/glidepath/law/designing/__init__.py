"""From a law to the best schedule: in closed form, by descent, and beside the schedules that have a name."""
