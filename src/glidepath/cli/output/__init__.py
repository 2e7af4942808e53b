"""Tables and curves that several commands print."""
