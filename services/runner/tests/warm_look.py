"""What a kernel can see of itself, as code that it runs."""

LOOK = """
import asyncio, ctypes, faulthandler, gc, json, locale, os, posix, \
    resource, signal, sys, tempfile, threading, traceback, warnings
import psutil
def getenv(name):
    libc = ctypes.CDLL(None)
    libc.getenv.restype = ctypes.c_char_p
    return (libc.getenv(name.encode()) or b'').decode()
def listed():
    array = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), 'environ')
    found = []
    while array[len(found)]:
        found.append(array[len(found)].decode())
    return found
me = psutil.Process()
seen = {
    'environ': list(os.environ.items()),
    'posix': sorted((k.decode(), v.decode()) for k, v in posix.environ.items()),
    'getenv': [getenv(n) for n in ('ONE', 'KEPT', 'PYTHONPATH', 'PERIJOVE_WARM')],
    'c environ': listed(),
    'cwd': os.getcwd(),
    'argv': sys.argv,
    'orig_argv': sys.orig_argv,
    'path': sys.path,
    'importers': sorted(sys.path_importer_cache),
    'meta_path': [str(type(f)) + getattr(f, '__name__', '') for f in sys.meta_path],
    'hooks': [str(h).partition(' at ')[0] for h in sys.path_hooks],
    'modules': sorted(sys.modules),
    'main': repr(sys.modules['__main__']),
    'flags': repr(sys.flags),
    'xoptions': sys._xoptions,
    'warnoptions': [sys.warnoptions, repr(warnings.filters)],
    'executable': [sys.executable, sys.prefix, sys.dont_write_bytecode],
    'streams': [[s.fileno(), s.seekable(), s.line_buffering, s.encoding, s.errors]
                for s in (sys.__stdin__, sys.__stdout__, sys.__stderr__)],
    'files': {n: os.readlink(f'/proc/self/fd/{n}').partition('[')[0] for n in '012'},
    'stack': [[f.filename, f.lineno, f.name] for f in traceback.extract_stack()[:-1]],
    'threads': [sorted(t.name.lstrip('Thread-0123456789') for t in threading.enumerate()),
                threading.Thread().name],
    'session': [os.getsid(0) == os.getpid(), os.getpgid(0) == os.getpid(), os.getppid()],
    'nice': [os.nice(0), os.sched_getscheduler(0), sorted(os.sched_getaffinity(0))],
    'limits': {n: resource.getrlimit(getattr(resource, n))
               for n in dir(resource) if n.startswith('RLIMIT')},
    'umask': os.umask(0o022),
    'signals': [str(signal.getsignal(s)) for s in signal.valid_signals()
                if 'object at' not in str(signal.getsignal(s))],
    'mask': [int(s) for s in signal.pthread_sigmask(signal.SIG_BLOCK, [])],
    'locale': [locale.setlocale(locale.LC_ALL), sys.getfilesystemencoding()],
    'history': [get_ipython().history_manager.session_number, In[:-1],
                str(get_ipython().history_manager.dir_hist)],
    'count': get_ipython().execution_count,
    'connection': json.load(open(get_ipython().kernel.parent.connection_file)),
    'connection_file': get_ipython().kernel.parent.connection_file,
    'cmdline': me.cmdline(),
    'process environ': list(me.environ().items()),
    'name': [me.name(), me.exe()],
    'freeze': [gc.get_freeze_count(), gc.get_threshold(), gc.isenabled()],
    'recursion': sys.getrecursionlimit(),
    'tmp': tempfile.gettempdir(),
    'loop': str(type(asyncio.get_running_loop())),
    'fault': faulthandler.is_enabled(),
    'names': sorted(n for n in globals() if n != 'seen'),
    'oom': open('/proc/self/oom_score_adj').read(),
    'descriptors': sorted({os.readlink(entry.path).split('[')[0]
                           for entry in os.scandir('/proc/self/fd') if int(entry.name) < 12}),
}
print('<<' + json.dumps(seen) + '>>')
"""
