"""What flows are made of: gather, call `trading`, write."""
