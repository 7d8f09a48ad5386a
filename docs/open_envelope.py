"""Opens an envelope from share lines alone, written from formats.md: a second reader, for small files.

    open_envelope.py CODE ENVELOPE FOLDER < lines

Needs Python 3 and `age` from PyPI, an implementation of its own. It holds the whole list in memory: a large one is
for `age -d`. Nothing in FOLDER is overwritten, and no name leads out of it.
"""

import io
import pathlib
import sys
import tarfile

from age.file import Decryptor
from age.keys.password import PasswordKey

import share_vectors


def main() -> None:
    code, envelope, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    passphrase = share_vectors.passphrase(code, filter(str.strip, sys.stdin))
    with open(envelope, "rb") as sealed:
        payload = Decryptor([PasswordKey(passphrase.encode())], sealed).read()
    # What follows the archive is padding, all zeros.
    for entry in tarfile.open(fileobj=io.BytesIO(payload), mode="r:"):
        parts = pathlib.PurePosixPath(entry.name).parts
        if not entry.isreg() or not parts or parts[0] == "/" or ".." in parts:
            sys.exit(f"refused: {entry.name!r}")
        to = folder.joinpath(*parts)
        to.parent.mkdir(parents=True, exist_ok=True)
        with open(to, "xb") as out:
            out.write(payload[entry.offset_data : entry.offset_data + entry.size])
        print(to)


if __name__ == "__main__":
    main()
