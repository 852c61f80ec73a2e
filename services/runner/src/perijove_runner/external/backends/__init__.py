"""Connection files in a directory."""
