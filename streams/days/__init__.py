"""Recorded days (contract section 4): a directory ``date=YYYY-MM-DD/`` that holds what was published on one
date."""
