"""The functions behind the pragmas, one file a family; `registry.PRAGMAS` imports every module here."""
