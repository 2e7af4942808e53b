"""From runs to a law: what is seen of a run, the search for the parameters, and predictions with a band."""
