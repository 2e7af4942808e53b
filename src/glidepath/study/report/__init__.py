"""What a finished study shows: verdict, tables, figures, a page, exports. Knows curves, not how they were trained."""
