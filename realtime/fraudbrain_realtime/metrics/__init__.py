"""What a worker says of itself in numbers: counted in its loop, told to its keeper, which shows it over HTTP."""

from fraudbrain_realtime.metrics.histogram import Histogram
from fraudbrain_realtime.metrics.measured import Distribution, Family, Measured
from fraudbrain_realtime.metrics.tally import Tally

__all__ = ["Distribution", "Family", "Histogram", "Measured", "Tally"]
