"""Calls over one Thrift connection whose replies cannot be taken for one another.

thriftpy2 sends every request as number 0 and does not look at the number of the reply. After a
timeout the late reply stays in the stream, and from then on every call returns the answer to the
call before: *another row's* value, without an error. Here each request has its own number, a reply
with any other number is refused, and a connection on which anything went wrong is never used again.

Pure: each tier combines the mixin with the client class of its own library::

    class NumberedClient(NumberedCalls, TClient): ...
"""

from typing import TYPE_CHECKING, Any

_LARGEST_NUMBER = 0x7FFF_FFFF  # the number travels as a signed 32-bit integer

if TYPE_CHECKING:

    class _Client:
        """What is used of thriftpy2's `TClient`."""

        _service: Any
        _iprot: Any
        _seqid: int

        def _req(self, api: str, *args: Any, **kwargs: Any) -> Any: ...
        def _send(self, api: str, **kwargs: Any) -> None: ...
        def _recv(self, api: str) -> Any: ...

else:
    _Client = object


class StrangersReply(ConnectionError):
    """The reply that came belongs to another request. Its content was not read."""


class SpoiltConnection(ConnectionError):
    """An earlier call failed in the middle of the conversation: open a new connection."""


class NumberedCalls(_Client):
    """Mixin for thriftpy2's `TClient`: numbered requests, checked replies, spoilt by any accident.

    An exception that the service declares for the call is an answer and leaves the connection
    good. Any other, also one that is raised in the caller's thread by a signal, spoils it: this
    call raises it, every later one raises `SpoiltConnection`. Not for use by several threads.
    """

    spoilt = False

    def _req(self, api: str, *args: Any, **kwargs: Any) -> Any:
        if self.spoilt:
            raise SpoiltConnection(f"{api}: an earlier call on this connection failed; open a new one")
        try:
            return super()._req(api, *args, **kwargs)
        except BaseException as error:
            self.spoilt = not isinstance(error, self._declared(api))
            raise

    def _send(self, api: str, **kwargs: Any) -> None:
        self._seqid = self._seqid % _LARGEST_NUMBER + 1
        super()._send(api, **kwargs)

    def _recv(self, api: str) -> Any:
        replies = self._iprot
        begin = name, _, number = replies.read_message_begin()
        if (name, number) != (api, self._seqid):
            raise StrangersReply(f"sent {api} as number {self._seqid}, received the reply to {name} number {number}")
        self._iprot = _Begun(replies, begin)
        try:
            return super()._recv(api)
        finally:
            self._iprot = replies

    def _declared(self, api: str) -> tuple[type[BaseException], ...]:
        fields = getattr(self._service, f"{api}_result").thrift_spec.values()
        types = [field[2] for field in fields if field[1] != "success" and len(field) == 4]
        return tuple(kind for kind in types if isinstance(kind, type) and issubclass(kind, BaseException))


class _Begun:
    """The reading protocol with the head of its message given again."""

    def __init__(self, replies: Any, begin: tuple[str, int, int]) -> None:
        self._replies = replies
        self._begin = begin

    def read_message_begin(self) -> tuple[str, int, int]:
        return self._begin

    def __getattr__(self, name: str) -> Any:
        return getattr(self._replies, name)
