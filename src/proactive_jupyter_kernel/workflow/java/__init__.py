"""Java's own formats, as a ProActive server uses them: dates, regular expressions, serialized objects."""
