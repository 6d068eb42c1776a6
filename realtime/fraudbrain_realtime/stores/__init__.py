"""Where profiles are kept: HBase in production, memory in tests; one suite of laws for both."""
