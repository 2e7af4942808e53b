"""One file for each library whose schedules are read: a function `read(source) -> Conversion`."""
