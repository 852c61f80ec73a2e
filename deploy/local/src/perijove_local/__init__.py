"""Perijove on one machine: starts every process, keeps it running, and stops it."""
