"""Replacing parts of a graph that look like a pattern by another one."""

from typing import NamedTuple

from .graph import Graph
from .graph_module import GraphModule, _put
from .node import Node, map_aggregate
from .tracer import symbolic_trace

__all__ = ["Match", "replace_pattern"]


class Match(NamedTuple):
    """Where a pattern was found. anchor: its last node; nodes_map: {node of the pattern: there}."""

    anchor: Node
    nodes_map: dict


def replace_pattern(gm, pattern, replacement):
    """Replace all parts of a graph that look like a pattern; returns the matches.

    Args: pattern, replacement: functions of the same arguments, modules or graphs. The part may
    have no users outside but those of what the pattern returns; parts do not overlap.

    >>> import flambeau as torch
    >>> module = torch.fx.symbolic_trace(lambda x, y: torch.relu(x + y) * 2)
    >>> found = torch.fx.replace_pattern(
    ...     module, lambda a, b: torch.relu(a + b), lambda a, b: torch.maximum(a, -b) + b
    ... )
    >>> len(found), module(torch.tensor(1), torch.tensor(-5))
    (1, tensor(0))
    """
    wanted, new = _graph_of(pattern), _graph_of(replacement)
    matches = list(_matches(gm.graph, wanted))
    changed = {}
    for match in matches:
        _replace(gm.graph, match, wanted, new, changed)
    if isinstance(replacement, GraphModule):
        for node in new.nodes:
            if node.op in ("call_module", "get_attr"):
                _put(gm, node.target, _at(replacement, node.target))
    gm.recompile()
    return matches


def _at(module, path):
    for name in path.split("."):
        module = getattr(module, name)
    return module


def _graph_of(program):
    if isinstance(program, Graph):
        return program
    return program.graph if isinstance(program, GraphModule) else symbolic_trace(program).graph


def _matches(graph, wanted):
    """The matches of a pattern, from the first node of the graph on; none shares nodes."""
    anchors = wanted.output_node().all_input_nodes
    taken = set()
    for node in graph.nodes:
        found = _match_all(anchors, node, graph)
        inner = None if found is None else [found[p] for p in found if p.op != "placeholder"]
        if inner and taken.isdisjoint(inner) and _is_closed(found, anchors):
            taken.update(inner)
            yield Match(node, found)


def _match_all(anchors, node, graph):
    """{node of the pattern: node} with the first of the anchors at a node, or None."""
    found = _match(anchors[0], node, {})
    for anchor in anchors[1:]:
        if found is None or anchor in found:
            continue
        tries = (_match(anchor, other, dict(found)) for other in graph.nodes)
        found = next((extended for extended in tries if extended is not None), None)
    return found


def _match(wanted, node, found):
    """`found` with what a node of a pattern, and those before it, match; None if they do not."""
    if wanted in found:
        return found if found[wanted] is node else None
    if node in found.values():
        return None
    if wanted.op != "placeholder":
        if wanted.op != node.op or wanted.target != node.target:
            return None
        ours, theirs = _leaves(wanted), _leaves(node)
        if len(ours) != len(theirs):
            return None
    found[wanted] = node
    if wanted.op == "placeholder":
        return found
    for a, b in zip(ours, theirs, strict=True):
        if isinstance(a, Node):
            found = _match(a, b, found) if isinstance(b, Node) else None
        elif isinstance(b, Node) or type(a) is not type(b) or a != b:
            return None
        if found is None:
            return None
    return found


def _leaves(node):
    leaves = []
    map_aggregate((node.args, tuple(sorted(node.kwargs.items()))), leaves.append)
    return leaves


def _is_closed(found, anchors):
    """Whether nobody outside takes what is inside, but for what the pattern returns."""
    inside = set(found.values())
    hidden = [n for p, n in found.items() if p.op != "placeholder" and p not in anchors]
    return all(inside.issuperset(node.users) for node in hidden)


def _replace(graph, match, wanted, new, changed):
    """Put a copy of a graph where a match is. `changed`: {node that was replaced: by which}."""
    anchors = wanted.output_node().all_input_nodes
    outputs = [match.nodes_map[a] for a in anchors]
    given = [n for n in wanted.nodes if n.op == "placeholder"]
    taken = [n for n in new.nodes if n.op == "placeholder"]
    copies = {
        mine: changed.get(match.nodes_map[p], match.nodes_map[p])
        for mine, p in zip(taken, given, strict=True)
    }
    users = {user for node in outputs for user in node.users}
    order = [n for n in graph.nodes if n in users or n in outputs]
    place = next((n for n in order if n in users), None) or order[-1].next
    with graph.inserting_before(place):
        made = graph.graph_copy(new, copies)
    made = [made] if isinstance(made, Node) else [n for n in made if isinstance(n, Node)]
    for old, fresh in zip(outputs, made, strict=True):
        old.replace_all_uses_with(fresh)
        changed[old] = fresh
    inner = {n for p, n in match.nodes_map.items() if p.op != "placeholder"}
    for node in [n for n in reversed(graph.nodes) if n in inner]:
        graph.erase_node(node)
