"""The report of a finished study: verdict, tables, figures, a page, exports. It reads curves, not how they were trained."""
