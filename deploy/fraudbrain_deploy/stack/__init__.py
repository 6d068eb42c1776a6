"""The local stack: Kafka, HBase with Thrift, Redis and MLflow as processes on loopback, without Docker or root."""

from fraudbrain_deploy.stack.errors import StackError
from fraudbrain_deploy.stack.java import java_environment
from fraudbrain_deploy.stack.lifecycle import PartStatus, Progress, down, spark_jars, status, up
from fraudbrain_deploy.stack.parts import ALL
from fraudbrain_deploy.stack.settings import (
    Ports,
    StackSettings,
    choose_settings,
    default_data,
    free_port_block,
    load_settings,
    port_block,
)

__all__ = [
    "ALL",
    "PartStatus",
    "Ports",
    "Progress",
    "StackError",
    "StackSettings",
    "choose_settings",
    "default_data",
    "down",
    "free_port_block",
    "java_environment",
    "load_settings",
    "port_block",
    "spark_jars",
    "status",
    "up",
]
