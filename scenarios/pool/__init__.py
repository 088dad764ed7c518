"""Where the runs of an exploration are done: in this process, in processes beside it, or on a cluster."""
