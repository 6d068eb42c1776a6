"""The slow tier's application: puts the archive together, runs it until it is told to stop."""

import logging
import signal
import threading
import traceback
from dataclasses import dataclass, field
from types import FrameType

import pyarrow as pa
from fraudbrain_shared.admission import Admission
from fraudbrain_shared.records import Progress
from fraudbrain_shared.scenario import load
from fraudbrain_shared.topics import Names

from fraudbrain_streaming import spark as spark_session
from fraudbrain_streaming.hbase import Store, StoreUnavailable
from fraudbrain_streaming.jobs.archive import query as archive_query
from fraudbrain_streaming.jobs.archive.archive import Archive, Shelf
from fraudbrain_streaming.jobs.archive.dead_letters import DeadLetters
from fraudbrain_streaming.jobs.archive.decisions import Decisions
from fraudbrain_streaming.jobs.archive.decoder import Decoder, table_schema
from fraudbrain_streaming.jobs.archive.events import Events
from fraudbrain_streaming.jobs.archive.first_wins import FirstWins
from fraudbrain_streaming.jobs.archive.labels import Labels
from fraudbrain_streaming.jobs.archive.lake_table import LakeTable
from fraudbrain_streaming.kafka import ProgressTopic, TopicLog, topic_logs
from fraudbrain_streaming.settings import Settings

_LOG = logging.getLogger(__name__)
