"""How the time of a call grows with its input: what a wall clock cannot say on a busy machine."""

import gc
import time


def growth(call, make, size, times=16):
    """CPU seconds of call(make(times * size)) as a multiple of call(make(size)), the best of three of each.

    About `times` where every character is looked at once; its square where each one starts another search to the end.
    """
    seconds = []
    gc.disable()  # it walks over everything that torch has made, now and then
    try:
        for n in (size, times * size):
            given, best = make(n), float("inf")
            for _ in range(3):
                start = time.process_time()
                call(given)
                best = min(best, time.process_time() - start)
            seconds.append(best)
    finally:
        gc.enable()
    return seconds[1] / max(seconds[0], 2e-4)  # below that a clock's steps count
