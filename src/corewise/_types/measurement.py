"""What was learnt of a function by running its first items, and what this machine charges for running it elsewhere."""

from __future__ import annotations

from corewise._types.record import Record


class Measurement(Record):
    """The nature of the work, as its first items showed it: real items, run in the caller, whose results are kept.

    Attributes:
        items: number of items run.
        wall_s: seconds they took, all together.
        first_s: seconds the first of them took: it may have imported modules or filled caches, as no later one will.
        deviation_s: standard deviation of the seconds of an item, the first one left out; 0 for fewer than two others.
        longest_s: seconds of the longest item behind the first; that of the first where it was the only one.
        cpu_s: CPU seconds of the calling thread.
        native_cpu_s: CPU seconds of other threads of the process meanwhile: those of native libraries such as BLAS.
        held_s: seconds of `cpu_s` for which the global interpreter lock (GIL) was held; None where that could not be
            told, as the items were too short. 0 on a build without one.
        queued_s: seconds for which the thread stood in line for a core that others had; 0 where the system cannot tell.
        remaining: items left; None while the length of the input is unknown.
        argument_bytes: bytes of an item on its way to another process, on average; None where that was not measured.
        result_bytes: bytes of a result on its way back, on average; None where that was not measured.
        pickle_s: seconds that the caller spends on an item to send it and to read its result, on average; None where
            that was not measured.
        read_s: seconds that the caller spends on reading an item from the input, on average, whoever runs it; 0 for
            sequences.
        children_cpu_s: CPU seconds of programs that the items have started and waited for; 0 where nobody looked, as
            where `subprocess` was not loaded yet.
    """

    items: int
    wall_s: float
    first_s: float
    deviation_s: float
    longest_s: float
    cpu_s: float
    native_cpu_s: float
    held_s: float | None
    queued_s: float
    remaining: int | None
    argument_bytes: float | None = None
    result_bytes: float | None = None
    pickle_s: float | None = None
    read_s: float = 0.0
    children_cpu_s: float = 0.0

    @property
    def item_cpu_s(self) -> float:
        """Mean CPU seconds of an item."""
        return self.cpu_s / self.items if self.items else 0.0

    @property
    def item_s(self) -> float:
        """Mean seconds of an item on a core of its own; of those behind the first, as soon as there is one."""
        if not self.items:
            return 0.0
        own = self.own_share
        if self.items == 1:
            return self.first_s * own
        return (self.wall_s - self.first_s) / (self.items - 1) * own

    @property
    def own_share(self) -> float:
        """Share of the time that was not spent in line for a core."""
        # No less than was computed, though the system may count a wait in line that began before the item.
        return min(1.0, max(self.wall_s - self.queued_s, self.cpu_s) / self.wall_s) if self.wall_s > 0 else 1.0

    @property
    def cpu_share(self) -> float:
        """Share of the time that the calling thread was computing: about 1 for computing, about 0 for waiting.

        Time in line for a core counts as neither: on a busy machine a computation would seem to wait.
        """
        own_s = max(self.wall_s - self.queued_s, self.cpu_s)
        return self.cpu_s / own_s if own_s > 0 else 0.0

    @property
    def held_share(self) -> float | None:
        """Share of the computing that held the GIL: about 1 for pure Python; None where it could not be told."""
        if self.held_s is None:
            return None
        return min(1.0, self.held_s / self.cpu_s) if self.cpu_s > 0 else 0.0

    @property
    def native_cores(self) -> float:
        """How many cores hidden native threads kept busy beside the calling thread."""
        return self._cores(self.native_cpu_s)

    @property
    def children_cores(self) -> float:
        """How many cores programs kept busy that the items have started."""
        return self._cores(self.children_cpu_s)

    def _cores(self, cpu_s: float) -> float:
        own_s = max(self.wall_s - self.queued_s, self.cpu_s)
        return cpu_s / own_s if own_s > 0 else 0.0


class Costs(Record):
    """What this machine charges, in seconds.

    Attributes:
        cores: cores that this process may use.
        has_gil: whether this build of Python has a global interpreter lock that is on.
        worker_start_s: until the first worker process of the start method that would be used is ready.
        worker_more_s: for each further one.
        chunk_s: of the caller's time for each chunk that goes to a process and comes back.
        process_item_s: of the caller's time for each short item among others of its chunk.
        byte_s: for each byte that goes to a process or comes back.
        thread_start_s: to start a thread.
        thread_first_s: until the first thread can be started: what has to be loaded, where it is not yet.
        thread_item_s: for each short item among others of its chunk, by threads.
        coroutine_s: for each coroutine that an event loop runs.
        measured: whether these were measured here, rather than guessed.
    """

    cores: int
    has_gil: bool
    worker_start_s: float
    worker_more_s: float
    chunk_s: float
    process_item_s: float
    byte_s: float
    thread_start_s: float
    thread_item_s: float
    coroutine_s: float
    measured: bool = False
    thread_first_s: float = 0.0


class Estimate(Record):
    """What one approach is predicted to take for the items that remain.

    Attributes:
        approach: ``"sync"``, ``"threads"``, ``"asyncio"`` or ``"processes"``.
        workers: number of workers.
        seconds: the prediction.
        low_s: lower end of its error band.
        high_s: upper end of it.
        start_s: the part that goes to starting workers.
        travel_s: the part that the caller spends on sending items and reading results.
        veto: short stable name of the reason why it cannot be used; empty where it can.
        why: that reason as a sentence; empty where it can.
        per_worker: calls that each worker runs at once.
    """

    approach: str
    workers: int
    seconds: float
    low_s: float
    high_s: float
    start_s: float = 0.0
    travel_s: float = 0.0
    veto: str = ""
    why: str = ""
    per_worker: int = 1


class Effect(Record):
    """Something that a function does to objects outside itself, which in another process would be lost.

    Attributes:
        kind: ``"global"``, ``"closure"``, ``"argument"``, ``"attribute"`` (of a class, module or captured object) or
            ``"returns-argument"``.
        name: the variable meant, such as ``"seen"``.
        how: what is done to it, in words, such as ``"appends to"`` or ``"assigns"``.
        file: the file it stands in.
        line: the line there.
        certain: whether it happens whenever that line is run; False where it depends on the object's type.
    """

    kind: str
    name: str
    how: str
    file: str
    line: int
    certain: bool
