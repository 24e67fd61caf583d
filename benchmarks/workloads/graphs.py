"""Graph convolutions, of the size of the Cora citations."""

from .registry import workload
from .training import step_of

NODES, EDGES, FEATURES, CLASSES = 2708, 10556, 1433, 7


def citations(torch):
    """(source, target, weight) of each edge; each node also has one to itself."""
    nodes = torch.arange(NODES)
    source = torch.cat([torch.randint(0, NODES, (EDGES,)), nodes])
    target = torch.cat([torch.randint(0, NODES, (EDGES,)), nodes])
    degree = torch.zeros(NODES).index_add(0, target, torch.ones(len(target)))
    scale = degree.rsqrt()
    return source, target, scale[source] * scale[target]


def graph_step(torch, propagate):
    """A step of two graph convolutions with Adam; `propagate` sums over the neighbours."""
    nn = torch.nn
    first, second = nn.Linear(FEATURES, 16), nn.Linear(16, CLASSES)
    parameters = [*first.parameters(), *second.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=0.01, weight_decay=5e-4)
    x = (torch.rand(NODES, FEATURES) < 0.0127).float()  # few words of the dictionary each
    y = torch.randint(0, CLASSES, (NODES,))

    def loss():
        hidden = torch.relu(propagate(first(x)))
        scores = propagate(second(hidden))
        return nn.functional.cross_entropy(scores[:140], y[:140])  # the others have no label

    return step_of(optimizer, loss)


@workload("gcn_dense", ratio=1.3)
def gcn_dense(torch):
    """A step of a graph convolution, 2708 nodes, 1433-16-7, by a dense adjacency matrix."""
    torch.manual_seed(0)
    source, target, weight = citations(torch)
    adjacency = torch.zeros(NODES, NODES)
    adjacency.index_put_((target, source), weight, accumulate=True)
    return graph_step(torch, lambda h: adjacency @ h)


@workload("gcn_edges", ratio=1.5)
def gcn_edges(torch):
    """The same by its 10556 edges: gathered, and added up with `index_add`."""
    torch.manual_seed(0)
    source, target, weight = citations(torch)

    def propagate(h):
        messages = h[source] * weight[:, None]
        return torch.zeros(NODES, h.shape[1]).index_add(0, target, messages)

    return graph_step(torch, propagate)
