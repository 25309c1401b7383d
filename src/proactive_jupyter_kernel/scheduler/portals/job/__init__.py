"""The page of a job: what is read of it, and that as records of display texts, which templates write down."""
