"""The client of a consortium."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import TracebackType

from bss_client.bssv1 import broadcast_pb2, record_pb2
from bss_client.bssv1.broadcast_pb2_grpc import BroadcastServiceStub
from bss_client.connections import FINAL, ask
from bss_client.read import Reader
from bss_client.records import new_submission
from bss_client.statement import Statement, follow, get_statement
from bss_client.stream import OnReconnect, SubmissionOutcome, SubmitSession
from bss_client.verify import Block, Chain
from bss_client.watch import OnResume, watch_blocks


class Client(Reader):
    """Talks to a consortium through any manager that answers. Any number of threads may use it.

    The connection is made with the first call. As a context manager it closes itself:

        with Client(read_profile("profile.yaml")) as client: ...
    """

    def close(self) -> None:
        """Ends all connections, and every call, watch and stream, which raise a `BssError` with the
        reason CANCELLED. Any thread may call it."""
        self._connections.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def sign(self, *records: bytes) -> record_pb2.Submission:
        """Signs records for submission in the profile's name. The same records always give the same
        submission."""
        profile = self._profile
        consortium_id = profile.genesis.consortium_id
        return new_submission(consortium_id, profile.id, profile.signing_key, records)

    def submit(
        self,
        submission: record_pb2.Submission,
        *,
        wait_for: broadcast_pb2.WaitFor = broadcast_pb2.WAIT_FOR_COMMITTED,
        timeout: float | None = None,
    ) -> broadcast_pb2.SubmitResponse:
        """Submits and waits until every record's outcome is final: its place on the ledger, or why
        it was refused.

            answer = or_raise(client.submit(submission))

        If every record was refused, it raises a `BssError` with the first one's reason. If at least
        one was taken it returns: `or_raise` raises if any was refused, `refusals` lists them.

        `wait_for` is WAIT_FOR_COMMITTED, or WAIT_FOR_ACCEPTED to wait only until a manager has
        checked and safely kept the records. Where a manager fails, the next one gets the same
        bytes, which is safe.

        It takes up to `timeout` seconds, 60 when left out. Time that is up loses nothing: the same
        submission again gets the same places.
        """
        if not isinstance(submission, record_pb2.Submission):
            what = f"a submission is what sign gives, not {type(submission).__name__}"
            raise TypeError(what)
        request = broadcast_pb2.SubmitRequest(submission=submission, wait_for=wait_for)
        return ask(
            self._connections,
            FINAL,
            timeout,
            lambda channel: BroadcastServiceStub(channel).Submit,
            request,
        )

    def submit_stream(
        self,
        source: Iterable[record_pb2.Submission],
        *,
        in_flight_max: int = 32,
        wait_for: broadcast_pb2.WaitFor = broadcast_pb2.WAIT_FOR_COMMITTED,
        stall_timeout: float = 300.0,
        on_reconnect: OnReconnect | None = None,
    ) -> Iterator[SubmissionOutcome]:
        """Submits many, with several in flight over one stream, and survives the loss of the
        stream.

            for outcome in client.submit_stream(source):
                outcome.or_raise()

        The source is read no faster than outcomes are taken: at most `in_flight_max` submissions
        are without one, and while the caller works on an outcome nothing piles up. Each submission
        gets exactly one outcome. After a reconnect, to the same manager or the next one, all
        submissions without an outcome are sent again, the same bytes; records that got onto the
        ledger meanwhile are answered with their first place. If a refusal says when to try again,
        that is done here. A manager that gives no outcomes is left if another one is better. An
        error ends the loop: the managers cannot or will not go on.

        The source is read in a thread of its own, which is not waited for when the caller leaves
        the loop. What it raises is raised here, after the outcomes of what it gave before.
        `stall_timeout` ends the stream with an error when an outcome has been due for so many
        seconds; `on_reconnect` is called after each loss of the stream, with the error, which names
        the manager, and the number of submissions to be sent again. After `close` the loop ends
        with a `BssError` of reason CANCELLED.
        """
        session = SubmitSession(
            self._connections, source, in_flight_max, wait_for, stall_timeout, on_reconnect
        )
        return session.outcomes()

    def watch_blocks(
        self, from_height: int = 0, *, on_reconnect: OnResume | None = None
    ) -> Iterator[Block]:
        """Gives every block from a height on, once and in order, for as long as the caller reads;
        with 0 from the first block after the head, which a manager is asked for when the loop
        begins. To miss nothing of what you submit next, ask for `get_status().height + 1` yourself
        before you submit.

        If the stream is lost, another one continues after the last block that was given, at another
        manager if need be; `on_reconnect` is then called with the error, which names the manager,
        and the next height. Each block is verified: Q managers made it final, it is whole, and it
        follows the block before it. `UntrueAnswer` is raised for a block that does not hold.

        Before the first block the loop ends with a `BssError` of reason NODE_UNREACHABLE, like a
        call, when no manager can be reached for 3 s; from then on it waits for managers without
        end. To stop, leave the loop; or call `close` in another thread, after which the loop ends
        with a `BssError` of reason CANCELLED.
        """
        return watch_blocks(self, self._connections, from_height, on_reconnect)

    def follow(self, chain: Chain, *, timeout: float | None = None) -> Iterator[Block]:
        """Gives the blocks that come after a chain's last one, up to the present head, and adds
        each to the chain.

        So a new `Chain(client.genesis)` gives all blocks from genesis on, with every change of
        membership and of the storage nodes' standings, believed of nobody. `UntrueAnswer` says that
        a block does not follow; the chain then stands before it. `timeout` is that of each page.
        """
        return follow(self, chain, timeout)

    def get_statement(self, node_id: str, *, timeout: float | None = None) -> Statement:
        """Recomputes a storage node's standing from the public chain, from genesis on, and compares
        it with what a manager says.

        `UntrueAnswer` says that the chain does not hold, or that the manager says something else
        about the node. `timeout` is that of each page.
        """
        return get_statement(self, node_id, timeout)
