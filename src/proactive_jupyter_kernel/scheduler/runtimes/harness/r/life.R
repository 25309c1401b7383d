# A script's life: its globals are made, it runs, its report is written.

request <- NULL   # what r.py wrote: label, stage, script, report, returns, bindings
state <- new.env()

# Run the task of that folder, its script at that level of compilation; returns the exit code of the process.
main <- function(folder, level) {
  options(warn = 1)
  source <- new.env(parent = environment(main))
  sys.source(file.path(folder, "request.R"), source, keep.source = FALSE)
  request <<- source$request
  bind()
  failed <- NULL
  .Internal(enableJIT(level))
  value <- tryCatch(run(), proactive_failure = function(failure) {
    failed <<- failure
    NULL
  })
  .Internal(enableJIT(0L))
  finish(failed, value)
}

bind <- function() {
  for (name in names(request$bindings)) assign(name, request$bindings[[name]], globalenv())
  if (nzchar(request$progress)) {
    path <- request$progress
    assign(".set_progress", function(percent) {
      if (percent < 0 || percent > 100) stop("progress goes from 0 to 100, not ", percent, call. = FALSE)
      cat(as.integer(percent), file = path)
      invisible(NULL)
    }, globalenv())
  }
  if (!is.null(request$fork)) assign("forkEnvironment", fork_environment(request$fork), globalenv())
}

# forkEnvironment: how the task's process will be started. What only a Java machine knows is kept, unused.
fork_environment <- function(start) {
  state$fork <- start
  text <- function(value) paste(as.character(value), collapse = " ")
  list(
    setWorkingDir = function(path) state$fork$workingDir <- text(path),
    getWorkingDir = function() state$fork$workingDir,
    addSystemEnvironmentVariable = function(name, value) state$fork$systemEnvironment[[text(name)]] <- text(value),
    getSystemEnvironmentVariable = function(name) state$fork$systemEnvironment[[text(name)]],
    getSystemEnvironment = function() state$fork$systemEnvironment,
    setPreJavaCommand = function(words) state$fork$preJavaCommand <- as.list(as.character(words)),
    addPreJavaCommand = function(word) state$fork$preJavaCommand <- c(state$fork$preJavaCommand, text(word)),
    getPreJavaCommand = function() as.character(state$fork$preJavaCommand),
    setJavaHome = function(path) state$home <- text(path),
    getJavaHome = function() state$home,
    addJVMArgument = function(argument) state$jvm <- c(state$jvm, text(argument)),
    getJVMArguments = function() state$jvm,
    addAdditionalClasspath = function(...) state$classpath <- c(state$classpath, ...),
    getAdditionalClasspath = function() state$classpath,
    setDockerWindowsToLinux = function(wanted) invisible(NULL),
    isDockerWindowsToLinux = function() FALSE,
    convertToLinuxPath = function(path) text(path)
  )
}

# The script's value. What it raises becomes a condition `proactive_failure` with its own lines.
run <- function() {
  lines <- readLines(request$script, encoding = "UTF-8", warn = FALSE)
  copy <- srcfilecopy(request$label, lines, isFile = FALSE)
  parsed <- tryCatch(parse(text = lines, keep.source = TRUE, srcfile = copy, encoding = "UTF-8"),
                     error = function(error) fail("SyntaxError", conditionMessage(error), character(0)))
  places <- attr(parsed, "srcref")
  value <- NULL
  for (index in seq_along(parsed)) {
    depth <- sys.nframe()
    value <- withCallingHandlers(eval(parsed[[index]], globalenv()), error = function(error) {
      calls <- sys.calls()
      fail_at(error, calls[seq_along(calls) > depth], places[[index]])
    })
  }
  value
}

fail_at <- function(error, calls, place) {
  references <- c(list(place), lapply(calls, attr, "srcref"))
  own <- Filter(function(reference) {
    !is.null(reference) && identical(attr(reference, "srcfile")$filename, request$label)
  }, references)
  lines <- rev(vapply(own, function(reference) as.integer(reference[1]), 1L))
  call <- conditionCall(error)
  during <- if (is.null(call)) "" else deparse(call, nlines = 1)[1]
  # The call of ours that evaluates the script says nothing.
  if (grepl("^(withCallingHandlers|eval|run|doTryCatch)\\(", during)) during <- ""
  fail(class(error)[1], conditionMessage(error), lines, during)
}

fail <- function(type, message, lines, during = "") {
  if (type %in% c("simpleError", "error", "condition")) type <- ""
  head <- if (nzchar(during)) sprintf("Error in %s: %s", during, message) else paste0("Error: ", message)
  lines <- lines[!duplicated(lines)]
  trace <- paste(c(head, sprintf("    at %s:%d", request$label, lines)), collapse = "\n")
  writeLines(trace, stderr())
  stop(structure(class = c("proactive_failure", "condition"),
                 list(message = message, call = NULL, type = type, trace = trace)))
}

# Write the report; returns the exit code of the process.
finish <- function(failed, value) {
  parts <- tryCatch({
    maps <- collect()
    if (is.null(failed)) c(maps, values = results(value)) else c(maps, error = described(failed))
  }, NotPortableValue = function(error) {
    message <- conditionMessage(error)
    if (is.null(failed)) {
      writeLines(message, stderr())
      failed <<- list(type = "", message = message, trace = message)
    }
    c(error = described(failed))
  })
  text <- as_object(names(parts), parts)
  half <- paste0(request$report, ".part")
  output <- file(half, "wb")
  writeBin(charToRaw(enc2utf8(text)), output)
  close(output)
  file.rename(half, request$report)
  if (is.null(failed)) 0L else 1L
}

described <- function(failed) {
  as_object(c("type", "message", "trace"), quoted(c(failed$type, failed$message, failed$trace)))
}

found <- function(name) exists(name, globalenv(), inherits = FALSE)

collect <- function() {
  parts <- c(changes("variables", "variablesSet"), changes("resultMap", "resultMap"))
  gone <- setdiff(names(request$bindings$variables), names(get("variables", globalenv())))
  parts <- c(parts, variablesRemoved = as_list(quoted(gone)[seq_along(gone)]))
  if (!is.null(request$bindings$resultMetadata) && found("resultMetadata")) {
    metadata <- as.list(get("resultMetadata", globalenv()))
    texts <- vapply(metadata, function(value) paste(as.character(value), collapse = " "), "")
    parts <- c(parts, resultMetadata = as_object(names(metadata), quoted(texts)[seq_along(texts)]))
  }
  if (!is.null(state$fork)) {
    fork <- state$fork
    parts <- c(parts, forkEnvironment = as_object(
      c("workingDir", "systemEnvironment", "preJavaCommand"),
      c(wire(fork$workingDir, ""), wire(fork$systemEnvironment, ""), wire(fork$preJavaCommand, ""))
    ))
  }
  parts
}

# What is new or other in a list of the script's; R tells no assignment of an equal value.
changes <- function(name, key) {
  before <- request$bindings[[name]]
  if (is.null(before) || !found(name)) return(NULL)
  now <- as.list(get(name, globalenv()))
  keys <- names(now)
  if (length(now) && (is.null(keys) || any(!nzchar(keys)))) {
    not_portable(name, now, "an entry of it has no name", sprintf("use %s[[\"name\"]] <- ...", name))
  }
  same <- vapply(keys, function(each) each %in% names(before) && identical(now[[each]], before[[each]]), NA)
  keys <- keys[!same]
  items <- vapply(keys, function(each) wire(now[[each]], sprintf("%s[['%s']]", name, each)), "")
  stats <- list(as_object(keys, unname(items)))
  names(stats) <- key
  unlist(stats)
}

results <- function(value) {
  names <- Filter(found, setdiff(request$returns, "resultMetadata"))
  items <- vapply(names, function(name) wire(get(name, globalenv()), name), "")
  if (!("result" %in% names) && request$stage == "main") {
    own <- tryCatch(wire(value, "result"), NotPortableValue = function(error) "null")
    if (own != "null") {
      names <- c(names, "result")
      items <- c(items, own)
    }
  }
  as_object(as.character(names), unname(items))
}
