"""The lowest layer: files of the run directory, mapped; words, fences and doorbells in them."""
