"""The log on confluent-kafka: the only modules of this tier that know that library."""
