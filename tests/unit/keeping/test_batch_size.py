from adserver.keeping.batch_size import MOST_BYTES, BatchSize


def learn(size: BatchSize, seconds: float, calls: int = 8) -> int:
    for _ in range(calls):
        size.learn(size.bytes, seconds)
    return size.bytes


def test_short_calls_let_batches_grow_to_the_most() -> None:
    size = BatchSize()
    assert size.bytes < MOST_BYTES
    assert learn(size, 0.001, 100) == MOST_BYTES


def test_long_calls_halve_batches_down_to_the_least() -> None:
    size = BatchSize()
    before = size.bytes
    assert learn(size, 0.1) == before // 2
    assert learn(size, 0.1, 1_000) == 1024 * 64


def test_a_call_that_waited_for_a_processor_changes_nothing() -> None:
    size = BatchSize()
    before = size.bytes
    for _ in range(50):
        learn(size, 1.0, 7)
        size.learn(size.bytes, 0.015)
    assert size.bytes == before


def test_a_batch_that_was_not_full_says_nothing() -> None:
    size = BatchSize()
    before = size.bytes
    for _ in range(50):
        size.learn(64, 0.0001)
    assert size.bytes == before


def test_a_size_that_was_set_is_kept() -> None:
    size = BatchSize(128)
    assert (learn(size, 0.001), learn(size, 1.0)) == (128, 128)
