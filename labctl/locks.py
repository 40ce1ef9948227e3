"""Locks on open files, which end with the process that holds them, however it dies."""

import os
import sys

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__all__ = ["is_free", "lock", "try_lock"]

_OFFSET = 2**62
"""Windows locks hide the locked bytes from readers, so a byte far behind the end is used."""

if sys.platform == "win32":

    def lock(descriptor: int) -> None:
        """Hold a file that is open for writing; waits for who is just asking."""
        os.lseek(descriptor, _OFFSET, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)

    def try_lock(descriptor: int) -> bool:
        """Hold a file that is open for writing, unless somebody else does."""
        os.lseek(descriptor, _OFFSET, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        os.lseek(descriptor, 0, os.SEEK_SET)
        return True

    def is_free(descriptor: int) -> bool:
        """Whether nobody holds the file, which is open for writing."""
        if not try_lock(descriptor):
            return False
        os.lseek(descriptor, _OFFSET, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
        return True

else:

    def lock(descriptor: int) -> None:
        """Hold an open file; waits for who is just asking."""
        fcntl.flock(descriptor, fcntl.LOCK_EX)

    def try_lock(descriptor: int) -> bool:
        """Hold an open file, unless somebody else does."""
        return _tried(descriptor, fcntl.LOCK_EX)

    def is_free(descriptor: int) -> bool:
        """Whether nobody holds the file; ends with the closing of this descriptor."""
        return _tried(descriptor, fcntl.LOCK_SH)

    def _tried(descriptor: int, kind: int) -> bool:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
