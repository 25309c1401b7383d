"""What a workflow is: model, checks, languages, formats. Pure: opens no file or socket, reads no clock."""
