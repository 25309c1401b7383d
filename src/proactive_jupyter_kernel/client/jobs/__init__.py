"""A submitted job as an object: following it, its output, its results, what one can do about it."""
