import multiprocessing
import threading

from adserver.counting.issuer import Issuer


def test_sequences_of_a_shard_only_rise_and_those_of_shards_are_apart() -> None:
    issuer = Issuer()

    assert [issuer.next(0)[1], issuer.next(1)[1], issuer.next(0)[1], issuer.next(1)[1]] == [0, 0, 1, 1]


def test_threads_are_never_given_the_same_number() -> None:
    issuer = Issuer()
    given: list[tuple[bytes, int]] = []
    threads = [threading.Thread(target=lambda: given.extend(issuer.next(0) for _ in range(2_000))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(given)) == len(given) == 8_000
    assert len({issuer for issuer, _ in given}) == 1


def test_a_forked_child_draws_an_issuer_of_its_own() -> None:
    issuer = Issuer()
    parents, _ = issuer.next(0)
    context = multiprocessing.get_context("fork")
    replies = context.SimpleQueue()
    child = context.Process(target=lambda: replies.put(issuer.next(0)))
    child.start()
    childs, sequence = replies.get()
    child.join()

    assert childs != parents
    assert sequence == 0
    assert issuer.next(0) == (parents, 1)


def test_a_new_issuer_is_drawn_when_the_sequences_are_spent() -> None:
    issuer = Issuer()
    first, _ = issuer.next(0)
    assert issuer._drawn is not None
    object.__setattr__(issuer._drawn, "sequences", (iter([2**32 - 1, 2**32]),))

    assert issuer.next(0) == (first, 2**32 - 1)
    second, sequence = issuer.next(0)
    assert (second != first, sequence) == (True, 0)
