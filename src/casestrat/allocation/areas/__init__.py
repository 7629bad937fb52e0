"""Plans for zones and for types of cases instead of single cases."""
