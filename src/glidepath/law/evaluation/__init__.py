"""What a law says of a run: one formula, its noises, and fast sums over the changes of the rate."""
