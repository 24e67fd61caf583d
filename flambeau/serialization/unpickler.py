"""A reader of pickles that builds plain data and tensors, and never runs anything else.

It knows the instructions that pickles of protocol 2 to 5 are made of. What a file may name, call
and change is decided by `plain`, and by the user with `add_safe_globals`.
"""

import pickle
import re
import struct
from pickle import UnpicklingError

from . import plain, safe

__all__ = ["PlainUnpickler"]

_OPCODES = {}
_MUTABLE_DICTS = (dict, plain.collections.OrderedDict, plain.collections.defaultdict)
_MAX_PROTOCOL = 5
_DTYPE_NAME = re.compile(r"(q?u?int|float|bits)\d\w*|Q\w*Storage")


def _opcode(code):
    def register(f):
        _OPCODES[code[0]] = f
        return f

    return register


class _Mark:
    """Stands on the stack where the arguments of a later instruction begin."""


_MARK = _Mark()


class PlainUnpickler:
    """Reads one pickle from bytes.

    Args:
        data: bytes that the pickle is in; position: where it starts.
        load_storage: what gives the storage that a persistent id means.
        encoding: of the strings of Python 2; `"bytes"` leaves them as they are.
    """

    def __init__(self, data, load_storage, position=0, encoding="utf-8"):
        self._data, self.position = data, position
        self._load_storage, self._encoding = load_storage, encoding
        self._stack, self._memo, self._found = [], {}, {}

    def load(self):
        """The object. `position` is then behind the pickle.

        Raises UnpicklingError for a damaged pickle and for one that names what is not allowed.
        """
        try:
            while True:
                code = self._data[self.position]
                self.position += 1
                if code == pickle.STOP[0]:
                    return self._pop()
                if code not in _OPCODES:
                    raise UnpicklingError(f"the pickle has the instruction {chr(code)!r}, unknown")
                _OPCODES[code](self)
        except (UnpicklingError, RuntimeError):
            raise
        except Exception as error:
            raise UnpicklingError(
                f"the pickle is damaged at byte {self.position}: {type(error).__name__}: {error}"
            ) from error

    def _take(self, count):
        end = self.position + count
        if count < 0 or end > len(self._data):
            raise UnpicklingError("the pickle is cut off")
        data = self._data[self.position : end]
        self.position = end
        return data

    def _number(self, form):
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def _line(self):
        end = self._data.index(b"\n", self.position)
        line = self._take(end - self.position)
        self.position += 1
        return line.decode()

    def _push(self, value):
        self._stack.append(value)

    def _pop(self):
        value = self._stack.pop()
        if value is _MARK:
            raise UnpicklingError("the pickle takes a value where there is none")
        return value

    def _pop_to_mark(self):
        at = len(self._stack) - 1
        while self._stack[at] is not _MARK:
            at -= 1
        items = self._stack[at + 1 :]
        del self._stack[at:]
        return items

    def _top(self, *classes):
        """What is on the stack, to be changed in place."""
        if type(self._stack[-1]) not in classes:
            raise UnpicklingError(f"the pickle changes a {type(self._stack[-1]).__name__}")
        return self._stack[-1]

    def _global(self, module, name):
        key = module, name
        if key not in self._found:
            self._found[key] = self.find(module, name)
        self._push(self._found[key])

    # What a file may do: a subclass may allow other things.

    def find(self, module, name):
        """What the file names. Raises UnpicklingError for what is not allowed."""
        found = safe.find_safe(module, name)
        found = plain.find(module, name) if found is None else found
        if found is None:
            raise UnpicklingError(_refusal(module, name))
        return found

    def call(self, function, args):
        """What the file calls a function for."""
        return function(*args) if safe.is_safe(function) else plain.call(function, args)

    def make(self, cls, args, named):
        """An object that the file makes without calling its class."""
        if not isinstance(cls, type) or not safe.is_safe(cls):
            raise UnpicklingError(f"the file makes a {cls!r:.100}, which is not allowed")
        return cls.__new__(cls, *args, **named)

    def extend(self, items):
        """Append to the list on the stack."""
        self._top(list).extend(items)

    def add(self, items):
        """Add to the set on the stack."""
        self._top(set).update(plain.check_key(item) for item in items)

    def update(self, items):
        """Set items of the dict on the stack: keys and values in turn."""
        target = self._top(*_MUTABLE_DICTS, plain.collections.Counter)
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[plain.check_key(key)] = value

    def set_state(self, obj, state):
        """Give an object, in place, the state that the file has for it."""
        if not safe.is_safe(type(obj)):
            plain.build(obj, state)
        elif hasattr(obj, "__setstate__"):
            obj.__setstate__(state)
        else:
            state, slots = state if isinstance(state, tuple) else (state, None)
            if state:
                vars(obj).update(state)
            for name, value in (slots or {}).items():
                setattr(obj, name, value)


def _refusal(module, name):
    if module == "torch" and _DTYPE_NAME.fullmatch(name):
        return f"the file has data of torch.{name}, a dtype that flambeau does not have"
    return (
        f"the file names {module}.{name}, which is not allowed by default. If you trust that "
        f"class or function, allow it with torch.serialization.add_safe_globals([{name}]) or the "
        f"torch.serialization.safe_globals([{name}]) context manager; if you trust the file, load "
        "it with weights_only=False, which lets it run any code"
    )


# Constants, numbers and strings


def _constant(code, make):
    _OPCODES[code[0]] = lambda reader: reader._push(make())


def _packed(code, form):
    _OPCODES[code[0]] = lambda reader: reader._push(reader._number(form))


def _sized(code, form, make):
    """An instruction whose argument is a size and that many bytes."""

    def run(reader):
        reader._push(make(reader, reader._take(reader._number(form))))

    _OPCODES[code[0]] = run


def _text(reader, data):
    return data.decode("utf-8", "surrogatepass")


def _old_text(reader, data):
    return data if reader._encoding == "bytes" else data.decode(reader._encoding)


def _integer(reader, data):
    return int.from_bytes(data, "little", signed=True)


def _raw(reader, data):
    return data


_constant(pickle.NONE, lambda: None)
_constant(pickle.NEWTRUE, lambda: True)
_constant(pickle.NEWFALSE, lambda: False)
_constant(pickle.EMPTY_TUPLE, tuple)
_constant(pickle.EMPTY_LIST, list)
_constant(pickle.EMPTY_DICT, dict)
_constant(pickle.EMPTY_SET, set)
_constant(pickle.MARK, lambda: _MARK)
_packed(pickle.BININT, "<i")
_packed(pickle.BININT1, "<B")
_packed(pickle.BININT2, "<H")
_packed(pickle.BINFLOAT, ">d")
_sized(pickle.LONG1, "<B", _integer)
_sized(pickle.LONG4, "<i", _integer)
_sized(pickle.SHORT_BINUNICODE, "<B", _text)
_sized(pickle.BINUNICODE, "<I", _text)
_sized(pickle.BINUNICODE8, "<Q", _text)
_sized(pickle.SHORT_BINSTRING, "<B", _old_text)
_sized(pickle.BINSTRING, "<i", _old_text)
_sized(pickle.SHORT_BINBYTES, "<B", _raw)
_sized(pickle.BINBYTES, "<I", _raw)
_sized(pickle.BINBYTES8, "<Q", _raw)
_sized(pickle.BYTEARRAY8, "<Q", lambda reader, data: bytearray(data))


@_opcode(pickle.PROTO)
def _protocol(reader):
    if reader._number("<B") > _MAX_PROTOCOL:
        raise UnpicklingError("the pickle has an unknown protocol")


@_opcode(pickle.FRAME)
def _frame(reader):
    reader._number("<Q")


# The stack and the memo


@_opcode(pickle.POP)
def _drop(reader):
    del reader._stack[-1]


@_opcode(pickle.POP_MARK)
def _drop_to_mark(reader):
    reader._pop_to_mark()


@_opcode(pickle.DUP)
def _duplicate(reader):
    reader._push(reader._stack[-1])


@_opcode(pickle.BINPUT)
def _put(reader):
    reader._memo[reader._number("<B")] = reader._stack[-1]


@_opcode(pickle.LONG_BINPUT)
def _long_put(reader):
    reader._memo[reader._number("<I")] = reader._stack[-1]


@_opcode(pickle.MEMOIZE)
def _memoize(reader):
    reader._memo[len(reader._memo)] = reader._stack[-1]


@_opcode(pickle.BINGET)
def _get(reader):
    reader._push(reader._memo[reader._number("<B")])


@_opcode(pickle.LONG_BINGET)
def _long_get(reader):
    reader._push(reader._memo[reader._number("<I")])


# Containers


def _short_tuple(code, count):
    def run(reader):
        items = [reader._pop() for _ in range(count)]
        reader._push(tuple(reversed(items)))

    _OPCODES[code[0]] = run


for _count, _code in enumerate((pickle.TUPLE1, pickle.TUPLE2, pickle.TUPLE3), 1):
    _short_tuple(_code, _count)


@_opcode(pickle.TUPLE)
def _tuple(reader):
    reader._push(tuple(reader._pop_to_mark()))


@_opcode(pickle.APPEND)
def _append(reader):
    reader.extend([reader._pop()])


@_opcode(pickle.APPENDS)
def _extend(reader):
    reader.extend(reader._pop_to_mark())


@_opcode(pickle.SETITEM)
def _set_item(reader):
    value, key = reader._pop(), reader._pop()
    reader.update([key, value])


@_opcode(pickle.SETITEMS)
def _set_items(reader):
    reader.update(reader._pop_to_mark())


@_opcode(pickle.ADDITEMS)
def _add_items(reader):
    reader.add(reader._pop_to_mark())


@_opcode(pickle.FROZENSET)
def _frozenset(reader):
    reader._push(frozenset(plain.check_key(item) for item in reader._pop_to_mark()))


# What is named, called and changed


@_opcode(pickle.GLOBAL)
def _global(reader):
    module = reader._line()
    reader._global(module, reader._line())


@_opcode(pickle.STACK_GLOBAL)
def _stack_global(reader):
    name, module = reader._pop(), reader._pop()
    if not isinstance(name, str) or not isinstance(module, str):
        raise UnpicklingError("the pickle names a class by something that is not a string")
    reader._global(module, name)


@_opcode(pickle.BINPERSID)
def _persistent(reader):
    reader._push(reader._load_storage(reader._pop()))


@_opcode(pickle.REDUCE)
def _reduce(reader):
    args, function = reader._pop(), reader._pop()
    if type(args) is not tuple:
        raise UnpicklingError("the pickle calls with arguments that are no tuple")
    reader._push(reader.call(function, args))


@_opcode(pickle.NEWOBJ)
def _new(reader):
    args, cls = reader._pop(), reader._pop()
    reader._push(reader.make(cls, args, {}))


@_opcode(pickle.NEWOBJ_EX)
def _new_with_names(reader):
    named, args, cls = reader._pop(), reader._pop(), reader._pop()
    reader._push(reader.make(cls, args, named))


@_opcode(pickle.BUILD)
def _build(reader):
    state = reader._pop()
    reader.set_state(reader._stack[-1], state)
