"""What convex theory says of a schedule without any run."""
