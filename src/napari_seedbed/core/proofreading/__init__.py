"""Labels corrected by hand, object by object, as edits that can be undone."""
