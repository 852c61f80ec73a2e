"""Perijove on one machine: starts every process, keeps it running, and stops it."""

VERSION = "0.1.0"
"""Of the distribution."""
