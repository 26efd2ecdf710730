"""The local stack: every component as data, and the supervisor that starts, watches and stops them."""
