"""Dask: a local cluster of two workers with a thread each."""

import timing


def work(number):
    return number


def first():
    return 0


def add(before, number):
    return before + number


def main():
    from dask.distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        client.gather(client.map(add, range(20), range(20)))

        def independent(tasks):
            return sum(client.gather(client.map(work, range(tasks), pure=False)))

        def chain(tasks):
            last = client.submit(first, pure=False)
            for _ in range(tasks - 1):
                last = client.submit(add, last, 1, pure=False)
            return last.result()

        def fan(tasks):
            begin = client.submit(first, pure=False)
            middle = [client.submit(add, begin, number, pure=False) for number in range(tasks - 2)]
            return client.submit(sum, middle, pure=False).result()

        timing.main({"python": independent, "chain": chain, "fan": fan})


if __name__ == "__main__":
    main()
