"""One file for each library that plans are written for."""
