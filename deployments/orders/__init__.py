"""`trading order` and `trading orders`: a person's orders."""
