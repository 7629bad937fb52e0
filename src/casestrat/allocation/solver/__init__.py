"""Plans for agencies of every size: built, relaxed, solved exactly, improved and bounded."""
