from adserver.keeping.batch_size import MOST_BYTES, BatchSize


def learn(size: BatchSize, seconds: float, calls: int = 16) -> int:
    for _ in range(calls):
        size.learn(size.bytes, seconds)
    return size.bytes


def test_batches_begin_with_the_most_and_short_calls_let_them_grow_back() -> None:
    size = BatchSize()
    assert size.bytes == MOST_BYTES
    assert learn(size, 0.031) < MOST_BYTES
    assert learn(size, 0.014, 100) == MOST_BYTES


def test_calls_that_are_neither_long_nor_short_change_nothing() -> None:
    size = BatchSize()
    half = learn(size, 0.031)
    assert learn(size, 0.029, 100) == learn(size, 0.016, 100) == half


def test_long_calls_halve_batches_down_to_the_least() -> None:
    size = BatchSize()
    before = size.bytes
    assert learn(size, 0.1) == before // 2
    assert learn(size, 0.1, 1_000) == 2048 * 64


def test_a_call_that_waited_for_a_processor_changes_nothing() -> None:
    size = BatchSize()
    before = size.bytes
    for _ in range(50):
        learn(size, 1.0, 15)
        size.learn(size.bytes, 0.02)
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
