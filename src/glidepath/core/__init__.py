"""The one abstraction: a schedule as plain data, its operators and its leaves. Standard library only."""
