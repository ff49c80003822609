"""How far generated images are from photographs, and a map of all of them."""
