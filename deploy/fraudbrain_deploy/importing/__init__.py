"""Importing: files of events, the platform's own or foreign ones, as a stream in time order."""

from fraudbrain_deploy.importing.payloads import Batch
from fraudbrain_deploy.importing.rejects import MappingReject
from fraudbrain_deploy.importing.source import EventSource, event_stream

__all__ = ["Batch", "EventSource", "MappingReject", "event_stream"]
