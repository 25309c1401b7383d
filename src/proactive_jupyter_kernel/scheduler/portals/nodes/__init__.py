"""The page of the nodes, ``/rm/``."""
