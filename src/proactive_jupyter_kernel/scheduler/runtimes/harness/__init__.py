"""The files that run inside the processes of tasks, under whatever interpreter those have; never imported here."""
