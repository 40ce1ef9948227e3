"""Things that a person does by hand."""
