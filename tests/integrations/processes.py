"""Runs a function in two real processes of one gloo group, which meet through a file: no port is needed."""

import datetime
import os
import pickle

import torch
import torch.distributed as dist


def in_two_processes(function, folder):
    """What `function(rank, folder)` returns in each of two processes."""
    torch.multiprocessing.spawn(_run, (function, folder), nprocs=2)
    return [pickle.loads((folder / f"{rank}.pickle").read_bytes()) for rank in range(2)]


def _run(rank, function, folder):
    torch.set_num_threads(1)
    torch.manual_seed(0)
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE="2", LOCAL_WORLD_SIZE="2")
    dist.init_process_group(
        "gloo",
        init_method=f"file://{folder}/meeting",
        rank=rank,
        world_size=2,
        timeout=datetime.timedelta(seconds=60),
    )
    (folder / f"{rank}.pickle").write_bytes(pickle.dumps(function(rank, folder)))
    dist.barrier()
    os._exit(0)  # gloo's threads sometimes abort a process that takes them down in order
