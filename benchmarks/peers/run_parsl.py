"""Parsl: HighThroughputExecutor with two workers on this machine."""

import sys

import timing


def main():
    import parsl
    from parsl.config import Config
    from parsl.executors import HighThroughputExecutor
    from parsl.providers import LocalProvider

    executor = HighThroughputExecutor(
        label="local",
        address="127.0.0.1",
        max_workers_per_node=2,
        encrypted=False,
        provider=LocalProvider(init_blocks=1, min_blocks=1, max_blocks=1),
    )
    with parsl.load(Config(executors=[executor], run_dir=f"{sys.argv[1]}/runinfo", usage_tracking=0)):

        @parsl.python_app
        def work(number):
            return number

        @parsl.python_app
        def add(before, number):
            return before + number

        @parsl.python_app
        def total(inputs=()):
            return sum(inputs)

        [future.result() for future in [add(work(number), 1) for number in range(20)]]

        def independent(tasks):
            return sum(future.result() for future in [work(number) for number in range(tasks)])

        def chain(tasks):
            last = work(0)
            for _ in range(tasks - 1):
                last = add(last, 1)
            return last.result()

        def fan(tasks):
            begin = work(0)
            return total(inputs=[add(begin, number) for number in range(tasks - 2)]).result()

        timing.main({"python": independent, "chain": chain, "fan": fan})


if __name__ == "__main__":
    main()
