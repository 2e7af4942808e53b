"""The logs of Glidepath itself: the results of a study, and its store."""
