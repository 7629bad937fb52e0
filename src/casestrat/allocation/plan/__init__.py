"""What was found: the plan, its check, each case's choices and what room is left."""
