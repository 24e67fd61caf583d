"""Which line of the user's program is running: that of the innermost frame outside of flambeau."""

import os
import sys

__all__ = ["user_calls", "user_frame", "user_line"]

_inside = {}  # file -> whether it is flambeau's
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def user_frame():
    """The innermost frame outside of flambeau, or None."""
    frame = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        inside = _inside.get(file)
        if inside is None:
            inside = _inside[file] = file.startswith(_PACKAGE)
        if not inside:
            break
        frame = frame.f_back
    return frame


def user_line():
    """(file, line) of the innermost frame outside of flambeau."""
    frame = user_frame()
    return (frame.f_code.co_filename, frame.f_lineno) if frame else ("?", 0)


def user_calls():
    """((file, line, function), ...) of the calls outside of flambeau, the innermost at the end."""
    frame, calls = user_frame(), []
    while frame is not None:
        if not frame.f_code.co_filename.startswith(_PACKAGE):
            calls.append((frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name))
        frame = frame.f_back
    return tuple(reversed(calls))
