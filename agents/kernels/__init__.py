"""Numba kernels on plain integer arrays: no Python objects, no topics, no I/O. Compiled on first use,
cached on disk.
"""
