"""Optimizers whose update of one parameter is a pure function: a group is updated by one record."""

from operator import itemgetter

import flambeau

from ..ops.update import sync_point, update_all
from .optimizer import Optimizer
from .param_state import ParamState

__all__ = ["FusedOptimizer", "apply_decay"]


class FusedOptimizer(Optimizer):
    """An optimizer that updates each parameter and its buffers by the function `rule`.

    `rule(p, *buffers, g, *scalars, **static)` gets the tensors of one parameter, floats (which may
    be 0-dim tensors inside: no branching on them) and attributes that decide structure, and
    returns the new `p` and buffers. Parameters with the same numbers (step count and the like)
    are updated together. A subclass says what belongs to a parameter:

    - `number_names`: the keys of its numbers, `begin(group)`: their first values,
    - `buffer_names(group)`: the keys of its buffers, `start(name, p, group)`: their first values,
    - `plan(group, numbers, number)`: (the next numbers, the scalars, the static attributes), where
      `number` makes a float of an option, or leaves a tensor alone if autograd is to see it.
    """

    rule = None
    number_names = ("step",)

    def begin(self, group):
        """The numbers of a parameter before its first step."""
        return (0.0,)

    def buffer_names(self, group):
        """The keys of the tensors that belong to each parameter of the group."""
        return ()

    def start(self, name, p, group):
        """The buffer `name` of a parameter before its first step."""
        return flambeau.zeros_like(p)

    def plan(self, group, numbers, number):
        """(the next numbers, the scalars, the static attributes) of a step."""
        return numbers, (), {}

    def step(self, closure=None):
        """Update the parameters from their gradients; returns what `closure` does, if given.

        closure: a function that clears the gradients, computes the loss, calls `backward` and
            returns the loss.

        Raises RuntimeError for gradients of a kind that the optimizer has no rule for.
        """
        loss = None
        if closure is not None:
            with flambeau.enable_grad():
                loss = closure()
        for group in self.param_groups:
            self.step_group(group)
        sync_point()
        return loss

    def step_group(self, group):
        """Update the parameters of one group that have a gradient."""
        differentiable = group.get("differentiable", False)
        buffers = _getter(self.buffer_names(group))
        known = self.state
        batches, last = {}, None
        for p in group["params"]:
            g = p.grad
            if g is None:
                continue
            if g.is_sparse:
                self.step_sparse(group, p, g)
                continue
            state = known.get(p)
            if state.__class__ is not ParamState or state.numbers is None:
                state = self.prepare(p, group)
            numbers = state.numbers
            if numbers is not last:
                states, targets, inputs = batches.setdefault(numbers, ([], [], []))
                last = numbers
            try:
                target = (p, *buffers(state))
            except KeyError:
                self.prepare(p, group)
                target = (p, *buffers(state))
            if state.is_complex:
                target, g = _as_real(target, differentiable), flambeau.view_as_real(g)
            states.append(state)
            targets.append(target)
            inputs.append((g,))
        for numbers, (states, targets, inputs) in batches.items():
            after = self.update(group, numbers, targets, inputs, states)
            for state in states:
                state.numbers = after

    def update(self, group, numbers, targets, inputs, states=()):
        """Apply the rule to parameters with the same numbers; returns the next numbers."""
        rule = type(self).rule
        if not group.get("differentiable", False):
            after, scalars, static = self.plan(group, numbers, float)
            update_all(rule, targets, inputs, scalars, **static)
            return after
        if group["foreach"]:
            raise AssertionError("_foreach ops don't support autograd")
        after, scalars, static = self.plan(group, numbers, _keep)
        names = self.buffer_names(group)
        with flambeau.enable_grad():
            for i, (target, given) in enumerate(zip(targets, inputs, strict=True)):
                p, *buffers = rule(target[0].clone(), *target[1:], *given, *scalars, **static)
                target[0].copy_(p)
                if names:
                    # New tensors take the place of the old ones, which the graph may still need.
                    if states[i].is_complex:
                        buffers = map(flambeau.view_as_complex, buffers)
                    dict.update(states[i], zip(names, buffers, strict=True))
        return after

    def decay(self, group, lr, number):
        """(the kind of weight decay of a group, its factor), as `apply_decay` takes them."""
        weight_decay = number(group["weight_decay"])
        if weight_decay == 0:
            return None, 0.0
        if group.get("decoupled_weight_decay", False):
            return "decoupled", 1 - lr * weight_decay
        return "l2", weight_decay

    def step_sparse(self, group, p, g):
        """Update a parameter from a sparse gradient; most optimizers have no rule for it."""
        raise RuntimeError(f"{type(self).__name__} does not support sparse gradients")

    def prepare(self, p, group):
        """The state of a parameter, with its numbers taken in and what it lacks begun."""
        state = self.state.get(p)
        if not isinstance(state, ParamState):
            content = state or None
            state = ParamState(self.number_names, None, p.is_complex())
            if content is None:
                state.numbers = self.begin(group)
            else:
                dict.update(state, content)
            self.state[p] = state
        if state.numbers is None:
            state.numbers = self.resume(state)
        for name in self.buffer_names(group):
            if not dict.__contains__(state, name):
                dict.__setitem__(state, name, self.start(name, p, group))
        return state

    def resume(self, state):
        """The numbers of a state that was looked at, loaded, or written by the user."""
        return state.take_numbers()

    def __setstate__(self, state):
        super().__setstate__(state)
        # Checkpoints older than a flag lack it: it was off then.
        for name, default in self.defaults.items():
            if default is None or isinstance(default, bool):
                for group in self.param_groups:
                    group.setdefault(name, None if default is None else False)


def apply_decay(p, g, factor, *, decay, maximize):
    """(p, g) that a step starts from: `g` negated to maximise; weights decayed.

    decay: "l2" adds the gradient of a penalty, `factor * p`; "decoupled" makes `p` `factor` times
        as large; None does nothing.
    """
    if maximize:
        g = -g
    if decay == "l2":
        return p, g + p * factor
    return (p * factor if decay == "decoupled" else p), g


def _getter(names):
    """The function that takes a tuple of the values of `names` from a dict."""
    if len(names) == 1:
        (name,) = names
        return lambda state: (state[name],)
    return itemgetter(*names) if names else lambda state: ()


def _keep(x):
    return x


def _as_real(tensors, differentiable):
    """Complex tensors as pairs of real numbers in the same memory."""
    if differentiable:
        return tuple([flambeau.view_as_real(x) for x in tensors])
    return tuple([flambeau.view_as_real(x.detach()) for x in tensors])
