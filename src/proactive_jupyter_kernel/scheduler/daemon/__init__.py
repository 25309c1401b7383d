"""The process of the embedded scheduler, and how others find it and reach it."""
