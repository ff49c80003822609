"""Results in the forms that papers and other tools take: LaTeX, and the JSON of harnesses."""
