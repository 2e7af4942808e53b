"""The report of a finished study: verdict, tables, figures, a page, exports. It depends on curves only."""
