"""The one place of the version; pip, the kernel and the embedded scheduler read it here."""

__version__ = "0.1.0"
