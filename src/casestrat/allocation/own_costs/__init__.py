"""Plans where each pair has a cost or a capacity of its own."""
