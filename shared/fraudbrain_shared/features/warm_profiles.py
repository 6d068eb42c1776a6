"""Which profiles stay unpacked between two flushes."""

from collections import OrderedDict
from collections.abc import Iterable

from fraudbrain_shared.features.profile import Profile, encode_profile, put_to_rest


class WarmProfiles:
    """Those that were flushed last: subjects that come often need not be unpacked each time.

    Flat states never are: one that has no others is not among these. At most `most` are warm after a flush. One with
    30 features that are not flat takes some 3 KB more than at rest, and stands in the way of the garbage collector,
    whose longest pause grows by one or two milliseconds with each thousand.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._warm: OrderedDict[str, Profile] = OrderedDict()

    def flush(self, profiles: Iterable[Profile]) -> dict[str, bytes]:
        """The rows of all profiles that were folded further since the last call. Beyond `most` those are put to rest
        that were not among them for longest."""
        warm, rows = self._warm, {}
        for profile in profiles:
            rows[profile.subject] = encode_profile(profile)
            if profile.states is not None:
                warm[profile.subject] = profile
                warm.move_to_end(profile.subject)
        while len(warm) > self.most:  # only now: the first may have been among those flushed
            put_to_rest(warm.popitem(last=False)[1])
        return rows

    def forget(self, subject: str) -> None:
        """The subject's profile was put away: its memory is to be given back."""
        self._warm.pop(subject, None)
