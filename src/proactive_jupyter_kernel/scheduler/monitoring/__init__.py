"""What is known of a running scheduler: its log, its counters, traces of tasks, reports of crashes."""
