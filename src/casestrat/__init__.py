"""Risk stratification, waiting-list ranking and caseload analytics for case management."""
