"""The days that come with the project, of two crashes: prices, what they imply, and how they were taken from
their sources.
"""
