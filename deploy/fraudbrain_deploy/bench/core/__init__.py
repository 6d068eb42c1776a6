"""The core: what one event costs, stage by stage and whole, beside XGBoost, Redis and Quix Streams."""
