"""The document tree: notebooks, files, directories, checkpoints; and front ends' documents."""
