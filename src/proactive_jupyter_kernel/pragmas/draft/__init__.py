"""The job that is being built: what each cell contributes, and the workflow that comes of it. Pure."""
