"""The slow loop: labels joined to decisions, context folded, parameters moved; one query for all three."""
