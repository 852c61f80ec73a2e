"""What every Perijove process does the same way; no Jupyter noun in it."""
