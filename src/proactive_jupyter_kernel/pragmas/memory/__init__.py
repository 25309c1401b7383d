"""What outlives a kernel or a request: the journal of the draft, the notebook's jobs, the listing of jobs."""
