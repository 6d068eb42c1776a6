"""The slow tier: archives, folds context and moves parameters."""
