"""From runs to a law: what is seen of a run, the search for the letters, and predictions with a band."""
