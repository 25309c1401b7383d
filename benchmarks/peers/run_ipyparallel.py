"""ipyparallel: two engines behind the scheduler that balances load."""

import timing


def work(number):
    return number


def main():
    import ipyparallel

    with ipyparallel.Cluster(n=2, log_level=40) as clients:
        view = clients.load_balanced_view()
        view.map_sync(work, range(20))

        def independent(tasks):
            return sum(one.get() for one in [view.apply_async(work, number) for number in range(tasks)])

        def chain(tasks):
            # Values do not travel between tasks here: each waits for the one before.
            last = view.apply_async(work, 0)
            for number in range(1, tasks):
                with view.temp_flags(after=[last]):
                    last = view.apply_async(work, number)
            return last.get()

        def fan(tasks):
            begin = view.apply_async(work, 0)
            with view.temp_flags(after=[begin]):
                middle = [view.apply_async(work, number) for number in range(tasks - 2)]
            with view.temp_flags(after=middle):
                last = view.apply_async(work, 0)
            last.get()
            return sum(one.get() for one in middle)

        timing.main({"python": independent, "chain": chain, "fan": fan})


if __name__ == "__main__":
    main()
