"""What pages that open from disk have in common: embedding, scripts of modules, style, basics."""
