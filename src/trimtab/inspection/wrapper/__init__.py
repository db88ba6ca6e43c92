"""The run wrapper: one file that an image gets, which runs the script once and leaves a document that tells of it.

`files()` makes it of the modules of this package and of `trimtab.inspection.hwinfo`, which therefore run on any Python
from 3.6 on and import of the standard library what starts fast; and of a program in shell, for images without Python.
Reading the document back is `trimtab.inspection.result`'s.

What a script can do to its document. It runs as the same user in the same container, so it can change every file that
the wrapper can, and send it every signal. Against that:

- What is told of hardware, system, packages and of the script itself is read before it starts.
- The result is written when nothing of the script is left, under a name that nobody knew, and put in the place of
  whatever is there. The directory was opened before, so it cannot be swapped; some room on the disk was held.
- The one in Python keeps others of its user out of its memory (PR_SET_DUMPABLE), adopts the orphans of the script, so
  that no daemon gets away (PR_SET_CHILD_SUBREAPER), and makes the script the likelier victim when memory is out.
- With TRIMTAB_RUN_TOKEN, the document ends with a proof that its writer knew the token. The script does not get it, so
  what it forges, having killed the wrapper, is found out: `trimtab.inspection.result.proved`.

Not promised: that there is a document when the wrapper is killed (as the first process of a container it cannot be, by
the script); and that the proof holds against root with CAP_SYS_PTRACE, or, where the wrapper is the one in shell, against
a script that reads the shell's memory. What is printed, and what the script does with clocks and caches, is its own.
"""

from trimtab.inspection.wrapper.bundle import entrypoint, files

__all__ = ["entrypoint", "files"]
