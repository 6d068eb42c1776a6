"""`fraudbrain bench`: how fast it is, as ratios between two things that are measured in the same run."""
