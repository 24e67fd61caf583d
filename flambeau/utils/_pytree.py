"""Nested containers as flat lists of what they hold: tuples, lists, dicts and registered types.

>>> from flambeau.utils._pytree import tree_flatten, tree_map, tree_unflatten
>>> leaves, spec = tree_flatten({"a": 1, "b": (2, [3])})
>>> leaves
[1, 2, 3]
>>> tree_unflatten([4, 5, 6], spec)
{'a': 4, 'b': (5, [6])}
>>> tree_map(lambda x: -x, (1, [2]))
(-1, [-2])
"""

from collections import OrderedDict, defaultdict, deque, namedtuple
from dataclasses import dataclass
from typing import Any

__all__ = [
    "TreeSpec",
    "register_pytree_node",
    "tree_all",
    "tree_any",
    "tree_flatten",
    "tree_leaves",
    "tree_map",
    "tree_map_only",
    "tree_structure",
    "tree_unflatten",
]

_NODES = {}  # type -> (flatten, unflatten)


@dataclass(frozen=True, eq=True)
class TreeSpec:
    """The structure of a nested container: its type, what else it consists of, its children.

    A leaf has the type None.
    """

    type: Any
    context: Any
    children_specs: tuple

    def is_leaf(self):
        """Whether this is no container."""
        return self.type is None

    @property
    def num_leaves(self):
        """How many leaves there are."""
        return 1 if self.is_leaf() else sum(c.num_leaves for c in self.children_specs)

    @property
    def num_children(self):
        """How many parts the container has."""
        return len(self.children_specs)

    def unflatten(self, leaves):
        """The container with these leaves."""
        return tree_unflatten(leaves, self)


_LEAF = TreeSpec(None, None, ())


def register_pytree_node(cls, flatten_fn, unflatten_fn, **names):
    """Make a type a container.

    flatten_fn(x) gives (children, context), unflatten_fn(children, context) the container. `names`
    are those of PyTorch for serialisation; nothing needs them here.
    Raises ValueError if the type is known already.
    """
    if cls in _NODES:
        raise ValueError(f"{cls} is already registered as pytree node.")
    _NODES[cls] = flatten_fn, unflatten_fn


def _register(cls, flatten, unflatten):
    _NODES[cls] = flatten, unflatten


_register(tuple, lambda x: (list(x), None), lambda children, _: tuple(children))
_register(list, lambda x: (list(x), None), lambda children, _: list(children))
_register(deque, lambda x: (list(x), x.maxlen), deque)
for _cls in (dict, OrderedDict):
    _register(
        _cls,
        lambda x: (list(x.values()), tuple(x)),
        lambda children, keys, cls=_cls: cls(zip(keys, children, strict=True)),
    )
_register(
    defaultdict,
    lambda x: (list(x.values()), (x.default_factory, tuple(x))),
    lambda children, context: defaultdict(context[0], zip(context[1], children, strict=True)),
)


def _is_namedtuple(x):
    return isinstance(x, tuple) and hasattr(type(x), "_fields")


_register(
    namedtuple,
    lambda x: (list(x), type(x)),
    lambda children, cls: cls(*children),
)


def _kind(x):
    return namedtuple if _is_namedtuple(x) else type(x)


def tree_flatten(tree, is_leaf=None):
    """(the leaves in order, the structure); is_leaf(x) may stop at containers."""
    if (is_leaf is not None and is_leaf(tree)) or _kind(tree) not in _NODES:
        return [tree], _LEAF
    kind = _kind(tree)
    children, context = _NODES[kind][0](tree)
    leaves, specs = [], []
    for child in children:
        found, spec = tree_flatten(child, is_leaf)
        leaves += found
        specs.append(spec)
    return leaves, TreeSpec(kind, context, tuple(specs))


def tree_unflatten(leaves, treespec):
    """The container of a structure with these leaves. Raises ValueError for a wrong number."""
    leaves = list(leaves)
    if len(leaves) != treespec.num_leaves:
        raise ValueError(
            f"tree_unflatten(leaves, treespec): `leaves` has length {len(leaves)} but the spec "
            f"refers to a pytree that holds {treespec.num_leaves} items ({treespec})."
        )
    return _build(iter(leaves), treespec)


def _build(leaves, spec):
    if spec.is_leaf():
        return next(leaves)
    return _NODES[spec.type][1]([_build(leaves, c) for c in spec.children_specs], spec.context)


def tree_leaves(tree, is_leaf=None):
    """The leaves in order."""
    return tree_flatten(tree, is_leaf)[0]


def tree_structure(tree, is_leaf=None):
    """The structure."""
    return tree_flatten(tree, is_leaf)[1]


def tree_map(func, tree, *rests, is_leaf=None):
    """A container of the same structure with func(leaf, ...), of one leaf of each tree."""
    leaves, spec = tree_flatten(tree, is_leaf)
    others = [_flatten_as(spec, rest) for rest in rests]
    return tree_unflatten([func(*x) for x in zip(leaves, *others, strict=True)], spec)


def _flatten_as(spec, tree):
    """The parts of a tree where a structure has leaves."""
    if spec.is_leaf():
        return [tree]
    if _kind(tree) is not spec.type:
        raise ValueError(f"Type mismatch; expected {spec.type!r}, but got {type(tree)!r}.")
    children, context = _NODES[spec.type][0](tree)
    if len(children) != spec.num_children or context != spec.context:
        raise ValueError(f"Node mismatch; expected {spec}, but got {tree!r}.")
    return [
        x for c, s in zip(children, spec.children_specs, strict=True) for x in _flatten_as(s, c)
    ]


def tree_map_only(type_or_types, func, tree):
    """`tree_map` of the leaves of some types; the others stay."""
    return tree_map(lambda x: func(x) if isinstance(x, type_or_types) else x, tree)


def tree_any(predicate, tree):
    """Whether the predicate holds for a leaf."""
    return any(map(predicate, tree_leaves(tree)))


def tree_all(predicate, tree):
    """Whether the predicate holds for all leaves."""
    return all(map(predicate, tree_leaves(tree)))
