# Values between R and the wire form of workflow/values.py: JSON out; the way in is R source that r.py writes.

not_portable <- function(path, value, reason, remedy) {
  message <- sprintf("%s (%s) cannot travel between tasks: %s; %s", path, class(value)[1], reason, remedy)
  stop(structure(class = c("NotPortableValue", "error", "condition"), list(message = message, call = NULL)))
}

# Bytes that were written in hexadecimal.
bytes <- function(hex) {
  if (!nzchar(hex)) return(raw(0))
  digits <- match(charToRaw(hex), charToRaw("0123456789abcdef")) - 1L
  as.raw(digits[c(TRUE, FALSE)] * 16L + digits[c(FALSE, TRUE)])
}

hexadecimal <- function(raw) paste(format(raw), collapse = "")

quoted <- function(texts) {
  texts <- enc2utf8(texts)
  texts <- gsub("\\", "\\\\", texts, fixed = TRUE)
  texts <- gsub("\"", "\\\"", texts, fixed = TRUE)
  if (any(grepl("[[:cntrl:]]", texts))) {
    for (code in c(1:31, 127)) {
      texts <- gsub(intToUtf8(code), sprintf("\\u%04x", code), texts, fixed = TRUE)
    }
  }
  paste0("\"", texts, "\"")
}

# Doubles stay doubles: 3 is 3.0.
numbers <- function(values) {
  short <- sprintf("%.15g", values)
  inexact <- is.finite(values) & suppressWarnings(as.numeric(short)) != values
  short[inexact] <- sprintf("%.17g", values[inexact])
  whole <- is.finite(values) & !grepl("[.e]", short)
  short[whole] <- paste0(short[whole], ".0")
  odd <- !is.finite(values)
  name <- ifelse(is.nan(values), "NaN", ifelse(values > 0, "Infinity", "-Infinity"))
  short[odd] <- sprintf("{\"$type\":\"float\",\"value\":\"%s\"}", name[odd])
  short[is.na(values) & !is.nan(values)] <- "null"
  short
}

atoms <- function(value, path) {
  if (is.factor(value)) value <- as.character(value)
  if (inherits(value, c("Date", "POSIXt"))) {
    not_portable(path, value, "no such class has a form in the other languages", "use format(...)")
  }
  if (is.logical(value)) return(ifelse(is.na(value), "null", ifelse(value, "true", "false")))
  if (is.integer(value)) return(ifelse(is.na(value), "null", format(value, trim = TRUE, scientific = FALSE)))
  if (is.double(value)) return(numbers(value))
  if (!is.character(value)) {
    not_portable(path, value, "no such type has a form in the other languages",
                 "build it of logicals, numbers, texts, vectors and lists")
  }
  if (!all(validUTF8(enc2utf8(value)))) {
    not_portable(path, value, "it is not valid text", "use charToRaw(...) for its bytes")
  }
  ifelse(is.na(value), "null", quoted(value))
}

as_list <- function(items) paste0("[", paste(items, collapse = ","), "]")

as_object <- function(keys, items) {
  if ("$type" %in% keys || anyDuplicated(keys)) {
    pairs <- as_list(paste0("[", quoted(keys), ",", items, "]", recycle0 = TRUE))
    return(paste0("{\"$type\":\"dict\",\"value\":", pairs, "}"))
  }
  if (length(keys) == 0) return("{}")
  paste0("{", paste0(quoted(keys), ":", items, collapse = ","), "}")
}

# The value as JSON; `path` is what messages call it.
wire <- function(value, path, depth = 0) {
  if (depth > 100) not_portable(path, value, "it lies more than 100 levels deep", "flatten it")
  if (is.null(value)) return("null")
  if (inherits(value, "proactive_value")) return(attr(value, "wire"))
  if (is.raw(value)) return(sprintf("{\"$type\":\"hex\",\"value\":\"%s\"}", hexadecimal(value)))
  if (is.data.frame(value)) return(rows(value, path))
  if (is.matrix(value) && is.atomic(value)) {
    lines <- apply(value, 1, function(row) as_list(atoms(row, path)))
    return(as_list(lines))
  }
  if (is.list(value)) return(list_wire(value, path, depth))
  if (!is.atomic(value)) {
    not_portable(path, value, "no such type has a form in the other languages",
                 "build it of logicals, numbers, texts, vectors and lists")
  }
  items <- atoms(value, path)
  if (!is.null(names(value))) return(as_object(names(value), items))
  if (length(value) == 1 && !inherits(value, "AsIs")) items else as_list(items)
}

list_wire <- function(value, path, depth) {
  keys <- names(value)
  places <- if (is.null(keys)) sprintf("[[%d]]", seq_along(value)) else paste0("$", keys, recycle0 = TRUE)
  items <- character(length(value))
  for (index in seq_along(value)) {
    items[index] <- wire(value[[index]], paste0(path, places[index]), depth + 1)
  }
  if (is.null(keys)) as_list(items) else as_object(keys, items)
}

# A data frame is a list of its rows, as the other languages know tables.
rows <- function(frame, path) {
  columns <- lapply(names(frame), function(name) {
    column <- frame[[name]]
    if (is.list(column)) vapply(column, wire, "", paste0(path, "$", name)) else atoms(column, paste0(path, "$", name))
  })
  lines <- vapply(seq_len(nrow(frame)), function(row) {
    as_object(names(frame), vapply(columns, function(column) column[row], ""))
  }, "")
  as_list(lines)
}
