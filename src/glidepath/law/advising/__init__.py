"""From several laws to advice: which candidate, how long a cooldown, what to train next."""
