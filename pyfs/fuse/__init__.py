"""The kernel's edge: `pyfs.vfs` as the handlers of pyfuse3."""
