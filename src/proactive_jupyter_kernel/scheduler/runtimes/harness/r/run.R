# Runs an R script of a task: `Rscript run.R FOLDER`. Bindings are lists and vectors in the global environment.
local({
  folder <- commandArgs(trailingOnly = TRUE)[1]
  here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1]))
  ours <- new.env(parent = baseenv())
  sys.source(file.path(here, "values.R"), ours, keep.source = FALSE)
  sys.source(file.path(here, "life.R"), ours, keep.source = FALSE)
  quit("no", ours$main(folder), FALSE)
})
