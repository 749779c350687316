from threading import Thread

from adserver.decision.memo import Memo


def test_what_was_put_is_got() -> None:
    memo = Memo[str, int](10)
    memo.put("a", 1, 4)
    assert memo.get("a") == 1
    assert memo.get("b") is None
    assert memo.weight == 4


def test_the_first_value_of_a_key_stays() -> None:
    memo = Memo[str, int](10)
    memo.put("a", 1)
    memo.put("a", 1)
    assert memo.weight == 1


def test_it_never_weighs_more_than_its_limit() -> None:
    memo = Memo[int, int](10)
    for key in range(100):
        memo.put(key, key, key % 4 + 1)
        assert memo.weight <= 10
        assert memo.get(key) == key


def test_a_value_over_the_limit_is_not_kept_and_forgets_nothing() -> None:
    memo = Memo[str, int](10)
    memo.put("a", 1)
    memo.put("huge", 2, 11)
    assert memo.get("huge") is None
    assert memo.get("a") == 1


def test_threads_that_write_at_once_keep_the_weight_right() -> None:
    memo = Memo[tuple[int, int], int](100_000)

    def fill(of: int) -> None:
        for key in range(5000):
            memo.put((of, key), key)

    threads = [Thread(target=fill, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert memo.weight == len(memo._values) == 20_000
