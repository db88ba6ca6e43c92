#!/bin/sh
# The run wrapper of an inspection: runs the script once, and leaves a document that tells of it.
#
# Two programs in one file: one for any Python from 3.6 on, in modules below; and one in the language of this shell, for
# images without Python. What follows takes the first that can be had. TRIMTAB_WRAPPER=sh insists on the second,
# TRIMTAB_PYTHON names the Python for the first. Made by Trimtab of its package trimtab.inspection.wrapper; Apache-2.0.

w_start='
import gc, posix, sys
gc.disable()  # nothing here is in circles
path = sys.argv[1]
def shell():
    posix.putenv("TRIMTAB_WRAPPER", "sh")
    posix.execv("/bin/sh", ["sh", path])
if sys.version_info < (3, 6):
    shell()
def modules():
    # Compiled before, as `--compile` leaves them: to compile them takes longer than all that they do.
    try:
        import marshal
        with open(path + "." + sys.implementation.cache_tag, "rb") as file:
            data = file.read()
        if data.startswith(mark):
            return marshal.loads(data[len(mark):])
    except (OSError, ValueError, EOFError, TypeError):
        pass
    found = []
    for part in text.decode().split("\n#@module ")[1:]:
        name, _, source = part.partition("\n")
        found.append((name, compile(source, "entrypoint:" + name, "exec")))
    return found
with open(path, "rb") as file:
    text = file.read()
mark = sys.modules["_frozen_importlib_external"].MAGIC_NUMBER + text[-64:]
try:
    for name, code in modules():
        module = sys.modules[name] = type(sys)(name)
        exec(code, module.__dict__)
except ImportError:
    shell()
try:
    code = module.main()
except BaseException:
    import traceback
    traceback.print_exc()
    code = 70
posix._exit(code)
'
w_stack=${THOTH_AMUN_EXEC_DIR:-/home/amun}
if [ "${TRIMTAB_WRAPPER-}" != sh ]; then
    # The files themselves first: what stands before them on PATH may be a script that looks for a Python for 50 ms.
    for w_python in ${TRIMTAB_PYTHON:+"$TRIMTAB_PYTHON"} /usr/bin/python3 /usr/local/bin/python3 python3 \
        /usr/libexec/platform-python "$w_stack/venv/bin/python3" "$w_stack/.venv/bin/python3"; do
        if command -v "$w_python" >/dev/null 2>&1; then
            exec "$w_python" -I -S -B -c "$w_start" "$0"
        fi
    done
fi
unset w_start w_stack w_python
