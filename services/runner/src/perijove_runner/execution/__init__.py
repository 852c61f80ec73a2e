"""Runs code for programs: once for each request id, with typed outputs."""
