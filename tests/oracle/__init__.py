"""A second, slow and obvious reading of the rules: what the fast core is compared with."""
