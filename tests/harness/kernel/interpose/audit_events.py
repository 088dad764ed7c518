"""Every audit event of Python 3.11 to 3.14 on Linux, and what becomes of it: a table, so that a new Python is seen to be new.

From the audit events tables of the documentation. ``HOOKED``: the hook judges it. ``BELOW``: what it announces is done by calls
that raise events of their own, or through a door that is replaced. ``NO_FILE``: it touches no file, process or network.
"""

from __future__ import annotations

HOOKED = frozenset(
    {
        "open", "os.chdir", "os.chflags", "os.chmod", "os.chown", "os.exec", "os.fork", "os.forkpty", "os.getxattr", "os.kill",
        "os.killpg", "os.link", "os.listdir", "os.listxattr", "os.mkdir", "os.posix_spawn", "os.remove", "os.removexattr",
        "os.rename", "os.rmdir", "os.scandir", "os.setxattr", "os.spawn", "os.symlink", "os.system", "os.truncate", "os.utime",
        "socket.__new__", "socket.bind", "socket.connect", "socket.getaddrinfo", "socket.gethostbyaddr", "socket.gethostbyname",
        "socket.getnameinfo", "socket.sendmsg", "socket.sendto", "socket.sethostname", "subprocess.Popen", "pty.spawn",
        "signal.pthread_kill", "_thread.start_new_thread", "_thread.start_joinable_thread", "ctypes.dlopen", "ctypes.dlsym",
        "sqlite3.connect", "sqlite3.load_extension", "mmap.__new__", "syslog.openlog", "syslog.syslog",
    }
)

#: Event: what it comes down to.
BELOW = {
    **dict.fromkeys(("os.walk", "os.fwalk", "glob.glob", "glob.glob/2"), "os.scandir"),
    **dict.fromkeys(("pathlib.Path.glob", "pathlib.Path.rglob", "pathlib.Path.walk"), "os.scandir"),
    **dict.fromkeys(("shutil.copyfile", "shutil.copytree", "shutil.make_archive", "shutil.unpack_archive"), "open"),
    "shutil.copymode": "os.chmod", "shutil.copystat": "os.utime", "shutil.chown": "os.chown", "shutil.move": "os.rename",
    "shutil.rmtree": "os.rmdir", "tempfile.mkstemp": "open", "tempfile.mkdtemp": "os.mkdir",
    **dict.fromkeys(("ftplib.connect", "http.client.connect", "imaplib.open", "poplib.connect"), "socket.connect"),
    **dict.fromkeys(("smtplib.connect", "nntplib.connect", "telnetlib.Telnet.open", "urllib.Request"), "socket.connect"),
    **dict.fromkeys(("ftplib.sendcmd", "http.client.send", "imaplib.send", "poplib.putline"), "a socket that was refused"),
    **dict.fromkeys(("smtplib.send", "nntplib.putline", "telnetlib.Telnet.write"), "a socket that was refused"),
    **dict.fromkeys(("fcntl.fcntl", "fcntl.flock", "fcntl.ioctl", "fcntl.lockf", "os.lockf"), "a descriptor that open gave"),
    "sqlite3.connect/handle": "sqlite3.connect", "ctypes.dlsym/handle": "ctypes.dlopen",
    "webbrowser.open": "subprocess.Popen", "ensurepip.bootstrap": "subprocess.Popen",
    "import": "open, by the import machinery", "os.putenv": "replaced", "os.unsetenv": "replaced", "time.sleep": "replaced",
    "socket.gethostname": "replaced", "socket.getservbyname": "a question to the C library, about no device",
    "socket.getservbyport": "a question to the C library, about no device",
}

NO_FILE = frozenset(
    {
        "array.__new__", "builtins.breakpoint", "builtins.id", "builtins.input", "builtins.input/result", "code.__new__",
        "compile", "exec", "cpython.PyInterpreterState_Clear", "cpython.PyInterpreterState_New",
        "cpython._PySys_ClearAuditHooks",
        "cpython.run_command", "cpython.run_file", "cpython.run_interactivehook", "cpython.run_module", "cpython.run_startup",
        "cpython.run_stdin", "cpython.remote_debugger_script", "ctypes.PyObj_FromPtr", "ctypes.addressof",
        "ctypes.call_function", "ctypes.cdata", "ctypes.cdata/buffer", "ctypes.create_string_buffer",
        "ctypes.create_unicode_buffer", "ctypes.get_errno", "ctypes.set_errno", "ctypes.memoryview_at", "ctypes.seh_exception",
        "ctypes.string_at", "ctypes.wstring_at", "function.__new__", "gc.get_objects", "gc.get_referents", "gc.get_referrers",
        "marshal.dumps", "marshal.load", "marshal.loads", "object.__delattr__", "object.__getattr__", "object.__setattr__",
        "pdb.Pdb", "pickle.find_class", "resource.prlimit", "resource.setrlimit", "setopencodehook",
        "sqlite3.enable_load_extension", "sys._current_exceptions", "sys._current_frames", "sys._getframe",
        "sys._getframemodulename", "sys.addaudithook", "sys.excepthook", "sys.monitoring.register_callback",
        "sys.remote_exec", "sys.set_asyncgen_hooks_finalizer", "sys.set_asyncgen_hooks_firstiter", "sys.setprofile",
        "sys.settrace", "sys.unraisablehook", "syslog.closelog", "syslog.setlogmask",
    }
)  # fmt: skip
