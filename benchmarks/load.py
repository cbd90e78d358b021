"""Bounded load: so many clients at once, each with tasks of its own."""

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Load:
    """What a load did."""

    times: list[float]  # seconds of each task done
    seconds: float

    @property
    def rate(self) -> float:
        """Tasks done a second."""
        return len(self.times) / self.seconds

    def percentile(self, share: float) -> float:
        """Milliseconds within which ``share`` of the tasks were done."""
        ordered = sorted(self.times)
        return 1000 * ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def run(tasks: Sequence[Callable[[], object]], seconds: float) -> Load:
    """Repeat each task in a thread of its own until ``seconds`` are over; the last ones are finished."""
    end = [0.0]

    def repeat(task: Callable[[], object]) -> Iterator[Callable[[], object]]:
        end[0] = end[0] or time.perf_counter() + seconds
        while time.perf_counter() < end[0]:
            yield task

    return each([repeat(task) for task in tasks])


def each(clients: Sequence[Iterable[Callable[[], object]]]) -> Load:
    """Let each client do its tasks one after the other, in a thread of its own, until none is left."""
    times: list[list[float]] = [[] for _ in clients]
    errors: list[BaseException] = []
    start = threading.Barrier(len(clients) + 1)

    def work(number: int) -> None:
        start.wait()
        try:
            for task in clients[number]:
                if errors:
                    return
                begun = time.perf_counter()
                task()
                times[number].append(time.perf_counter() - begun)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(clients))]
    for thread in threads:
        thread.start()
    begun = time.perf_counter()
    start.wait()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return Load([one for some in times for one in some], time.perf_counter() - begun)


def repeated(task: Callable[[], object], count: int) -> Load:
    """Do ``task`` ``count`` times, one after the other."""
    times = []
    begun = time.perf_counter()
    for _ in range(count):
        started = time.perf_counter()
        task()
        times.append(time.perf_counter() - started)
    return Load(times, time.perf_counter() - begun)
