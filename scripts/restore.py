#!/usr/bin/env python3
"""rethinkdb-restore for tables full of images: the same options, the same archive, the same result.

The tool of the Python package sends 200 documents in one query, and its --batch-size changes nothing (2.4.10). A
RethinkDB server refuses a query over 128 MiB, so 200 images of 500 kB or more end the restore with "Connection is
closed". Here a query holds one document.

Needs the official Python driver: pip install rethinkdb==2.4.10.post1
Use:   scripts/restore.py ARCHIVE -c HOST:PORT [--password-file FILE] [--force] ...
"""

import sys

try:
    from rethinkdb import _restore, utils_common
except ImportError:
    sys.exit("restore.py: the Python driver is missing (pip install rethinkdb==2.4.10.post1)")

# Here and not below: where multiprocessing starts its workers afresh (macOS), they run this line, too.
utils_common.default_batch_size = 1

if __name__ == "__main__":
    sys.exit(_restore.main())
