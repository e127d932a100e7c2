"""Timing for the torch peers: the same protocol as measure.ts."""
import resource
import time


def session_lengths(num_sessions, max_length, mean_length):
    """The lengths of sasrec-step.ts: between 1 and the maximum, with the wanted mean."""
    power = max_length / mean_length - 1
    return [max(1, int(max_length * ((b + 0.5) / num_sessions) ** power + 0.5)) for b in range(num_sessions)]


def measure(body, seconds=1.0, min_runs=5, warm_up=2):
    for _ in range(warm_up):
        body()
    times = []
    end = time.perf_counter() + seconds
    while len(times) < min_runs or time.perf_counter() < end:
        start = time.perf_counter()
        body()
        times.append((time.perf_counter() - start) * 1000)
    times.sort()
    return {"medianMs": times[len(times) // 2], "bestMs": times[0], "runs": len(times)}


def peak_memory_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
