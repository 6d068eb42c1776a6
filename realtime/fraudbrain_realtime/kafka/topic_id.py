"""Which topic stands behind a name: one that is made anew has the same name and another id."""

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from fraudbrain_realtime.kafka.failure import ANSWER_TIMEOUT_S, BrokerFailed


def topic_id(bootstrap: str, topic: str) -> str:
    """The id that the broker gave the topic when it was created. Raises BrokerFailed if there is none."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 3})
    future = admin.describe_topics(TopicCollection([topic]), request_timeout=ANSWER_TIMEOUT_S)[topic]
    try:
        return str(future.result(timeout=ANSWER_TIMEOUT_S + 5).topic_id)
    except KafkaException as error:
        raise BrokerFailed(f"no topic {topic} at {bootstrap}: {error.args[0].str()}") from None
