"""People's decisions on proposed moves, recorded."""
