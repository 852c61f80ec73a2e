"""Which kernel serves which document."""
