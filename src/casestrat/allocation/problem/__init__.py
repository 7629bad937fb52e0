"""What is asked: cases, case managers, who may follow whom and why not, as frames and as arrays."""
