"""From runs to a law: the losses that a fit uses, the search for the parameters, and predictions with a band."""
