"""Which topic stands behind a name: one that is made anew has the same name and another id."""

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from fraudbrain_realtime.kafka.failure import ANSWER_TIMEOUT_S, BrokerFailed
from fraudbrain_shared.records import LogTopic


def log_topic(bootstrap: str, topic: str) -> LogTopic:
    """The topic as the broker has it now. Raises BrokerFailed if there is none."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 3})
    future = admin.describe_topics(TopicCollection([topic]), request_timeout=ANSWER_TIMEOUT_S)[topic]
    try:
        found = future.result(timeout=ANSWER_TIMEOUT_S + 5)
    except KafkaException as error:
        raise BrokerFailed(f"no topic {topic} at {bootstrap}: {error.args[0].str()}") from None
    return LogTopic(str(found.topic_id), len(found.partitions))
