#!/usr/bin/env python3
"""rethinkdb-restore for tables of large documents: same options, same archive format, same result.

The tool in the Python package sends 200 documents per query and ignores --batch-size (as of 2.4.10). RethinkDB
rejects queries over 128 MiB, so restoring 200 images of 500 kB or more fails with "Connection is closed". This
script sends one document per query instead.

Requires the official Python driver: pip install rethinkdb==2.4.10.post1
Usage:    scripts/restore.py ARCHIVE -c HOST:PORT [--password-file FILE] [--force] ...
"""

import sys

try:
    from rethinkdb import _restore, utils_common
except ImportError:
    sys.exit("restore.py: the rethinkdb Python package is missing (pip install rethinkdb==2.4.10.post1)")

# Not under `if __name__`: where multiprocessing spawns its workers (macOS), they import this file again and need the
# setting too.
utils_common.default_batch_size = 1

if __name__ == "__main__":
    sys.exit(_restore.main())
