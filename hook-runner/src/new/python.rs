//! A project in Python: a module, its test, and what pip has to install.

use super::Language;

pub(super) static PYTHON: Language = Language {
    name: "python",
    files: &[
        (
            "@MODULE@.py",
            include_str!("../../templates/python/service.py.in"),
        ),
        (
            "test_@MODULE@.py",
            include_str!("../../templates/python/test_service.py.in"),
        ),
        (
            "requirements.txt",
            include_str!("../../templates/python/requirements.txt.in"),
        ),
        (
            "README.md",
            include_str!("../../templates/python/README.md.in"),
        ),
        (".gitignore", "/.venv/\n__pycache__/\n"),
    ],
    is_taken: |name| {
        // A module of the same name as one that is imported would hide it.
        TAKEN
            .split_whitespace()
            .any(|taken| taken.replace('_', "-") == name)
    },
    manifest: ("pyproject.toml", "name = \"outrigger-hooks\""),
    dependency,
};

/// Keywords, modules of the standard library of every version from 3.10 on, then modules of what is installed.
const TAKEN: &str = "
    and as assert async await break case class continue def del elif else except finally for from global if import in
    is lambda match nonlocal not or pass raise return try type while with yield

    abc aifc annotationlib antigravity argparse array ast asynchat asyncio asyncore atexit audioop base64 bdb binascii
    binhex bisect builtins bz2 calendar cgi cgitb chunk cmath cmd code codecs codeop collections colorsys compileall
    compression concurrent configparser contextlib contextvars copy copyreg crypt csv ctypes curses dataclasses datetime
    dbm decimal difflib dis distutils doctest email encodings ensurepip enum errno faulthandler fcntl filecmp fileinput
    fnmatch fractions ftplib functools gc genericpath getopt getpass gettext glob graphlib grp gzip hashlib heapq hmac
    html http idlelib imaplib imghdr imp importlib inspect io ipaddress itertools json keyword lib2to3 linecache locale
    logging lzma mailbox mailcap marshal math mimetypes mmap modulefinder msilib msvcrt multiprocessing netrc nis nntplib
    nt ntpath nturl2path numbers opcode operator optparse os ossaudiodev pathlib pdb pickle pickletools pipes pkgutil
    platform plistlib poplib posix posixpath pprint profile pstats pty pwd py_compile pyclbr pydoc pydoc_data pyexpat
    queue quopri random re readline reprlib resource rlcompleter runpy sched secrets select selectors shelve shlex shutil
    signal site smtpd smtplib sndhdr socket socketserver spwd sqlite3 sre_compile sre_constants sre_parse ssl stat
    statistics string stringprep struct subprocess sunau symtable sys sysconfig syslog tabnanny tarfile telnetlib
    tempfile termios textwrap this threading time timeit tkinter token tokenize tomllib trace traceback tracemalloc tty
    turtle turtledemo types typing unicodedata unittest urllib uu uuid venv warnings wave weakref webbrowser winreg
    winsound wsgiref xdrlib xml xmlrpc zipapp zipfile zipimport zlib zoneinfo

    conftest google grpc grpc_health grpc_reflection iniconfig mypy mypy_extensions mypyc outrigger outrigger_hooks
    packaging pathspec pip pkg_resources pluggy prometheus_client py pygments pytest setuptools test typing_extensions
";

fn dependency(folder: Option<&str>) -> String {
    match folder {
        // Quoted as for a shell, which a string of JSON is.
        Some(folder) => format!("--editable {}", serde_json::json!(folder)),
        None => format!("outrigger-hooks~={}", env!("CARGO_PKG_VERSION")),
    }
}
