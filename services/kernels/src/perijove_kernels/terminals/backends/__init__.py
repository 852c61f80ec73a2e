"""Where names of terminals are kept, and how runners are asked."""
