"""Vendors' files turned into recorded days (`liangrong import FORM SOURCE DEST`)."""
