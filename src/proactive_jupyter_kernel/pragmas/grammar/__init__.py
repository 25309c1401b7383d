"""From a cell's text to a tree of pragmas, arguments and values, each with its span. Pure; knows no pragma by name."""
