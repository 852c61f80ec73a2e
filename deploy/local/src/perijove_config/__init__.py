"""`perijove config` and `perijove migrate-config`: a program of its own, which ends at once."""
