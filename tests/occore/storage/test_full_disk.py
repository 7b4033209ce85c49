"""A disk that is full at any byte: one clear error, the former file stays, and no crash."""

import subprocess
import sys
import textwrap

from occore.storage.run import open_run

SCRIPT = textwrap.dedent(
    """
    import resource, signal, sys
    import numpy as np
    from occore.errors import RunFileError
    from occore.storage.record import RunRecord
    from occore.storage.writer import write_run

    k = np.arange(4)
    record = RunRecord("t", "running", "now", "0", "", "", {"iteration": k, "objective": 1.0 * k},
                       checkpoint={"theta": np.zeros(3000)})
    write_run(sys.argv[1], record)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    for limit in range(0, 24_000, 1000):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        try:
            write_run(sys.argv[1], record)
        except RunFileError as error:
            assert "cannot be written: [Errno 27] File too large" in str(error), error
        else:
            raise AssertionError(f"the file was written within {limit} bytes")
    """
)


def test_a_disk_that_is_full_at_any_byte(tmp_path):
    """The limit on the size of files stands for the disk; HDF5 alone dies of SIGSEGV here."""
    path = tmp_path / "run.h5"
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["run.h5"]
    assert open_run(path)["checkpoint/theta"].shape == (3000,)
