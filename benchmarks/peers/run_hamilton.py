"""Hamilton: a parallel block over a pool of two processes; a chain as functions of one module."""

import hamilton_work
import timing


def _parallel(tasks):
    from hamilton import driver
    from hamilton.execution import executors

    return (
        driver.Builder()
        .with_modules(hamilton_work)
        .enable_dynamic_execution(allow_experimental_mode=True)
        .with_local_executor(executors.SynchronousLocalTaskExecutor())
        .with_remote_executor(executors.MultiProcessingExecutor(max_tasks=2))
        .build()
    ).execute(["total"], inputs={"tasks": tasks})["total"]


def _chain(tasks):
    from hamilton import ad_hoc_utils, driver

    code = "def f0() -> int:\n    return 0\n" + "".join(
        f"def f{number}(f{number - 1}: int) -> int:\n    return f{number - 1} + 1\n" for number in range(1, tasks)
    )
    module = ad_hoc_utils.module_from_source(code)
    last = f"f{tasks - 1}"
    return driver.Builder().with_modules(module).build().execute([last])[last]


if __name__ == "__main__":
    timing.main({"python": _parallel, "chain": _chain, "fan": lambda tasks: _parallel(tasks - 2)})
