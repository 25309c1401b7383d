# Runs an R script of a task: `Rscript run.R FOLDER`. Bindings are lists and vectors in the global environment.
local({
  # R would compile our few functions, which takes longer than to run them; the script is as it wants it.
  level <- .Internal(enableJIT(0L))
  folder <- commandArgs(trailingOnly = TRUE)[1]
  here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1]))
  ours <- new.env(parent = baseenv())
  for (name in c("values.R", "life.R")) sys.source(file.path(here, name), ours, keep.source = FALSE)
  quit("no", ours$main(folder, level), FALSE)
})
