"""What handlers share about submitted jobs: which one is meant, waiting, errors, files, code for a server."""
