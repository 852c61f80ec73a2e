"""Notebooks in other formats."""
