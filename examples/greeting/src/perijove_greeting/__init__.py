"""An example of an extension of Perijove: it greets whoever asks."""
