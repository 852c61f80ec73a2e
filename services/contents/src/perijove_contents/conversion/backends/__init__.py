"""Where conversions run: in processes of their own."""
