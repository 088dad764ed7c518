"""What touches files in Python, as data: the dotted name of each function, its rule, and which arguments are paths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileCall:
    """``paths``: how many of the first arguments are paths; ``folder``: the keyword that says where, instead (``tempfile``);
    ``below_mount``: whether it may be done below a declared mount."""

    rule: str
    paths: int = 1
    folder: str = ""
    below_mount: bool = True


def _each(module: str, names: str, call: FileCall) -> dict[str, FileCall]:
    return {f"{module}.{name}": call for name in names.split()}


FILE_CALLS: Mapping[str, FileCall] = {
    **_each("builtins", "open", FileCall("NOFS-open")),
    **_each("os", "open fdopen", FileCall("NOFS-open")),
    **_each("io", "FileIO", FileCall("NOFS-open")),
    **_each("codecs", "open", FileCall("NOFS-open")),
    **{f"{module}.open": FileCall("NOFS-open") for module in ("gzip", "bz2", "lzma", "tarfile", "wave", "aifc", "aiofiles")},
    "gzip.GzipFile": FileCall("NOFS-open", 1), "bz2.BZ2File": FileCall("NOFS-open"), "lzma.LZMAFile": FileCall("NOFS-open"),
    "zipfile.ZipFile": FileCall("NOFS-open"), "tarfile.TarFile": FileCall("NOFS-open"),
    **_each("fileinput", "input FileInput", FileCall("NOFS-open")),
    **_each("linecache", "getline getlines", FileCall("NOFS-open")),
    **_each("numpy", "fromfile memmap load save savez savez_compressed loadtxt savetxt", FileCall("NOFS-open")),
    **_each("pathlib", "Path PosixPath WindowsPath", FileCall("NOFS-pathlib", 8)),
    **_each(
        "tempfile",
        "NamedTemporaryFile TemporaryFile SpooledTemporaryFile TemporaryDirectory mkstemp mkdtemp mktemp",
        FileCall("NOFS-tempfile", 0, "dir"),
    ),
    **_each("tempfile", "gettempdir gettempdirb", FileCall("NOFS-tempfile", 0, below_mount=False)),
    **_each("shutil", "copy copy2 copyfile copytree move copymode copystat", FileCall("NOFS-shutil", 2)),
    **_each("shutil", "rmtree make_archive unpack_archive chown disk_usage", FileCall("NOFS-shutil")),
    **_each("shutil", "which", FileCall("NOFS-look", 0, below_mount=False)),
    **_each("os", "stat lstat access listdir scandir walk fwalk statvfs readlink getxattr listxattr", FileCall("NOFS-look")),
    **_each("os", "pathconf", FileCall("NOFS-look")),
    **_each("os", "getcwd getcwdb get_exec_path", FileCall("NOFS-look", 0, below_mount=False)),
    **_each(
        "os.path",
        "exists lexists isfile isdir islink ismount isjunction getsize getmtime getatime getctime realpath samefile",
        FileCall("NOFS-look"),
    ),
    **_each("os.path", "expanduser abspath", FileCall("NOFS-look", 1, below_mount=False)),
    **_each("glob", "glob iglob", FileCall("NOFS-look")),
    **_each("filecmp", "cmp cmpfiles dircmp", FileCall("NOFS-look", 2)),
    **_each("os", "rename renames replace link symlink", FileCall("NOFS-rename", 2)),
    **_each(
        "os",
        "mkdir makedirs remove unlink rmdir removedirs truncate chmod chown lchown lchmod utime mkfifo mknod setxattr "
        "removexattr chflags lchflags",
        FileCall("NOFS-change"),
    ),
    **_each("os", "chdir fchdir chroot", FileCall("NOFS-change", 0, below_mount=False)),
    **_each("mmap", "mmap", FileCall("NOFS-mmap", 0)),
    **_each("sqlite3", "connect", FileCall("NOFS-database", 1, below_mount=False)),
    **_each("shelve", "open DbfilenameShelf", FileCall("NOFS-database", 1, below_mount=False)),
    **{f"{module}.open": FileCall("NOFS-database", 1, below_mount=False)
       for module in ("dbm", "dbm.gnu", "dbm.ndbm", "dbm.dumb")},
    **_each("diskcache", "Cache FanoutCache", FileCall("NOFS-database", 0, below_mount=False)),
    **_each("logging", "FileHandler", FileCall("NOFS-log-file", 1, below_mount=False)),
    **_each(
        "logging.handlers", "RotatingFileHandler TimedRotatingFileHandler WatchedFileHandler",
        FileCall("NOFS-log-file", 1, below_mount=False),
    ),
    **_each("ctypes", "CDLL PyDLL WinDLL OleDLL", FileCall("NOFS-native", 0, below_mount=False)),
    **_each("ctypes.cdll", "LoadLibrary", FileCall("NOFS-native", 0, below_mount=False)),
    **_each("ctypes.util", "find_library", FileCall("NOFS-native", 0, below_mount=False)),
}

#: Methods of ``pathlib.Path`` that touch files, for values that are annotated as one.
PATH_METHODS: Mapping[str, str] = {
    **dict.fromkeys(("open", "read_bytes", "read_text", "write_bytes", "write_text"), "NOFS-open"),
    **dict.fromkeys(("rename", "replace", "symlink_to", "hardlink_to"), "NOFS-rename"),
    **dict.fromkeys(("mkdir", "rmdir", "unlink", "touch", "chmod"), "NOFS-change"),
    **dict.fromkeys(("exists", "is_file", "is_dir", "stat", "iterdir", "glob", "rglob", "resolve", "walk"), "NOFS-look"),
}
#: Class methods that ask where the code runs.
PATH_PLACES = ("pathlib.Path.home", "pathlib.Path.cwd")

#: Commands that attach, make or change devices and file systems, and commands that handle files, by their first word.
DEVICE_COMMANDS = frozenset(
    {
        "mount", "umount", "losetup", "qemu-nbd", "nbd-client", "rbd-nbd", "rbd-fuse", "ceph-fuse", "fusermount",
        "fusermount3", "sshfs", "s3fs", "goofys", "mountpoint", "iscsiadm", "nvme", "modprobe", "dmsetup",
        "lvcreate", "lvremove", "lvextend", "vgchange", "vgcreate", "pvcreate", "blockdev", "multipath", "kpartx",
        "parted", "sgdisk", "partprobe", "mkswap", "swapon", "udevadm", "mdadm", "cryptsetup", "resize2fs",
        "xfs_growfs", "tune2fs", "e2fsck", "wipefs", "findmnt", "lsblk", "blkid",
    }
)
DEVICE_COMMAND_STARTS = ("mkfs", "fsck", "mount.", "umount.")
#: The second word decides: ``rbd map`` makes a kernel device, ``rbd info`` does not.
DEVICE_SUBCOMMANDS: Mapping[str, tuple[str, ...]] = {
    "rbd": ("map", "unmap", "device", "nbd", "showmapped"), "rclone": ("mount",), "virsh": ("attach-disk",), "dog": (),
}
FILE_COMMANDS = frozenset(
    {
        "cp", "mv", "ln", "mkdir", "rm", "rmdir", "rsync", "touch", "chmod", "chown", "install", "tar", "truncate",
        "fallocate", "mktemp", "dd", "cat", "tee", "ls", "find", "stat", "sync", "unlink",
    }
)
