"""Stand-ins for tests of what talks to a scheduler."""
