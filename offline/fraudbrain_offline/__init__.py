"""The offline tier: data sets, training and backtests."""
