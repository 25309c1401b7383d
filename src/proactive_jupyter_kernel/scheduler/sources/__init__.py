"""Where workflows and scripts come from beside a submission: the catalog, the studio, links."""
