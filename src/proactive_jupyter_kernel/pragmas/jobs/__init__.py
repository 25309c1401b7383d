"""What handlers share about submitted jobs: lookup, waiting, errors, files, code for a server."""
